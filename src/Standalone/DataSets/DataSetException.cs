namespace BeeFormer.Streaming.Standalone.DataSets;

/// <summary>A data set that cannot be read: one sentence that names file, line, column and what was expected.</summary>
internal sealed class DataSetException(string message, Exception? inner = null) : IOException(message, inner);
