// Meters of all hosts in a process have the same names: one host that ends would end the metrics of another.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
