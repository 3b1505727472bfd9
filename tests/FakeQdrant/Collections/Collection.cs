namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>Points, payload indexes and settings under one name. Writers take turns; readers go on meanwhile with what was there when they began.</summary>
internal sealed class Collection
{
    private readonly Lock gate = new();
    private readonly Dictionary<PointKey, Point> points = [];
    private readonly Dictionary<string, FieldType> indexes = [];
    private readonly Queue<Action> held = [];
    private readonly TimeProvider time;
    private Point[]? snapshot, inOrder;
    private ulong operations;

    public Collection(string name, CollectionConfig config, TimeProvider time)
    {
        (Name, Config, this.time) = (name, config, time);
        var vectors = config.Params.VectorsConfig;
        Spaces = (vectors.Params is { } only ? [VectorSpace.Of("", only)] : vectors.ParamsMap.Map.Select(pair => VectorSpace.Of(pair.Key, pair.Value))).ToDictionary(space => space.Name);
        Strict = new StrictMode(config.StrictModeConfig, time);
    }

    public string Name { get; }

    public CollectionConfig Config { get; private set; }

    /// <summary>By name; the unnamed one under "".</summary>
    public IReadOnlyDictionary<string, VectorSpace> Spaces { get; }

    public StrictMode Strict { get; private set; }

    /// <summary>Writes that were acknowledged and not yet applied.</summary>
    public int Held { get { lock (gate) return held.Count; } }

    public IReadOnlyDictionary<string, FieldType> Indexes { get { lock (gate) return new Dictionary<string, FieldType>(indexes); } }

    /// <summary>All points as they are now.</summary>
    public Point[] Snapshot() { lock (gate) return snapshot ??= [.. points.Values]; }

    /// <summary>As <see cref="Snapshot"/>, in the order of their ids.</summary>
    public Point[] InOrder()
    {
        lock (gate)
        {
            if (inOrder is not null) return inOrder;
            inOrder = [.. points.Values];
            Array.Sort(inOrder, (a, b) => a.Key.CompareTo(b.Key));
            return inOrder;
        }
    }

    public Point? Find(PointKey key) { lock (gate) return points.GetValueOrDefault(key); }

    /// <exception cref="Grpc.Core.RpcException">There is no vector of this name.</exception>
    public VectorSpace Space(string name) => Spaces.TryGetValue(name, out var space) ? space : throw Refusal.WrongInput("Not existing vector name error: " + name);

    public void Update(UpdateCollection request)
    {
        lock (gate)
        {
            Config = CollectionSettings.Updated(Config, request);
            Strict = new StrictMode(Config.StrictModeConfig, time);
        }
    }

    /// <summary>Applies a write, after all that were held back.</summary>
    /// <param name="wait">False: acknowledged, whatever comes of it.</param>
    /// <param name="hold">An unwaited write is only applied together with the next one that is waited for.</param>
    /// <param name="lose">Answered as if it were applied.</param>
    /// <param name="numbers">How many operation numbers it takes.</param>
    public UpdateResult Write(bool wait, bool hold, bool lose, Action<Change> apply, uint numbers = 1)
    {
        lock (gate)
        {
            var number = operations += numbers;
            if (lose) { }
            else if (wait)
            {
                ApplyHeld();
                apply(new Change(this, number));
            }
            else
            {
                held.Enqueue(() => apply(new Change(this, number)));
                if (!hold) ApplyHeld();
            }
            return new UpdateResult { OperationId = number, Status = wait ? UpdateStatus.Completed : UpdateStatus.Acknowledged };
        }
    }

    public void ApplyHeld()
    {
        lock (gate)
            while (held.TryDequeue(out var apply))
                try { apply(); }
                catch (Grpc.Core.RpcException) { } // Nobody waits for it: the server only logs it.
    }

    public void DropHeld() { lock (gate) held.Clear(); }

    /// <summary>What a write may do while it has its turn.</summary>
    internal readonly struct Change(Collection collection, ulong number)
    {
        public ulong Number => number;

        public IEnumerable<Point> All => collection.points.Values;

        public IReadOnlyDictionary<string, FieldType> Indexes => collection.indexes;

        public Point? Find(PointKey key) => collection.points.GetValueOrDefault(key);

        public void Put(Point point)
        {
            collection.points[point.Key] = point;
            collection.snapshot = collection.inOrder = null;
        }

        public void Remove(PointKey key)
        {
            if (collection.points.Remove(key)) collection.snapshot = collection.inOrder = null;
        }

        public void Index(string field, FieldType type) => collection.indexes[field] = type;

        public void DropIndex(string field) => collection.indexes.Remove(field);
    }
}
