using System.Runtime.InteropServices;
using System.Text;
using Confluent.Kafka;

namespace BeeFormer.Streaming.EventLog.Tests.Kafka;

/// <summary>Brokers inside this process that answer requests with errors on demand; the client's library brings them along for its own tests. They create no topics by request and keep a few MB.</summary>
internal sealed unsafe class MockCluster : IDisposable
{
    private readonly nint _library = Load();
    private readonly nint _client;
    private readonly nint _cluster;

    public MockCluster(int brokers)
    {
        byte* problem = stackalloc byte[512];
        _client = ((delegate* unmanaged<int, nint, byte*, nuint, nint>)Export("rd_kafka_new"))(0, 0, problem, 512);
        if (_client == 0) throw new InvalidOperationException(Marshal.PtrToStringUTF8((nint)problem));
        _cluster = ((delegate* unmanaged<nint, int, nint>)Export("rd_kafka_mock_cluster_new"))(_client, brokers);
        Address = Marshal.PtrToStringUTF8(((delegate* unmanaged<nint, nint>)Export("rd_kafka_mock_cluster_bootstraps"))(_cluster))!;
    }

    public string Address { get; }

    public void CreateTopic(string name, int partitions)
    {
        fixed (byte* bytes = Encoding.UTF8.GetBytes(name + '\0'))
            Assert.Equal(0, ((delegate* unmanaged<nint, byte*, int, int, int>)Export("rd_kafka_mock_topic_create"))(_cluster, bytes, partitions, 1));
    }

    /// <summary>The next requests of the kind, as many as there are errors, are answered with them.</summary>
    public void Fail(ApiKey requests, params ErrorCode[] errors)
    {
        fixed (int* codes = Array.ConvertAll(errors, error => (int)error))
            ((delegate* unmanaged<nint, short, nuint, int*, void>)Export("rd_kafka_mock_push_request_errors_array"))(_cluster, (short)requests, (nuint)errors.Length, codes);
    }

    public void Dispose()
    {
        ((delegate* unmanaged<nint, void>)Export("rd_kafka_mock_cluster_destroy"))(_cluster);
        ((delegate* unmanaged<nint, void>)Export("rd_kafka_destroy"))(_client);
    }

    private nint Export(string name) => NativeLibrary.GetExport(_library, name);

    // The second build needs fewer libraries of the system.
    private static nint Load() => NativeLibrary.TryLoad("librdkafka", typeof(MockCluster).Assembly, null, out nint library) ? library : NativeLibrary.Load("centos8-librdkafka", typeof(MockCluster).Assembly, null);

    /// <summary>Numbers of the protocol.</summary>
    internal enum ApiKey : short
    {
        Produce = 0,
        Fetch = 1,
        ListOffsets = 2,
        Metadata = 3,
        OffsetCommit = 8,
        OffsetFetch = 9,
        FindCoordinator = 10,
        InitProducerId = 22,
    }
}
