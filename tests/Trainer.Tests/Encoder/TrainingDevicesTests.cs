using TorchSharp;

namespace BeeFormer.Streaming.Trainer.Tests;

[Collection(ThreadCountCollection.Name)]
public sealed class TrainingDevicesTests
{
    [Theory]
    [InlineData("cpu", false, 2, "cpu")]
    [InlineData("cuda", false, 2, "cuda:0")]
    [InlineData("cuda:1", false, 2, "cuda:1")]
    [InlineData("cuda", true, 3, "cuda:0 cuda:1 cuda:2")]
    [InlineData("cuda:1", true, 3, "cuda:1")]
    [InlineData("cpu", true, 3, "cpu")]
    public void A_device_and_whether_to_spread_name_where_a_training_runs(string device, bool distributed, int cudaDevices, string expected) =>
        Assert.Equal(expected, Names(new TrainingPolicy { Device = device, TrainDistributed = distributed }, cudaDevices));

    [Fact]
    public void A_list_names_them_itself() =>
        Assert.Equal("cuda:1 cpu cpu", Names(new TrainingPolicy { TrainDistributed = true, Devices = ["cuda:1", "cpu", "cpu"] }, 2));

    [Theory]
    [InlineData("cuda", 0, "no CUDA device")]
    [InlineData("cuda:0", 0, "no CUDA device")]
    [InlineData("cuda:2", 2, "has 2 CUDA devices")]
    [InlineData("cuda:x", 2, "expected cpu, cuda or cuda:N")]
    public void A_device_that_is_not_there_is_said_in_one_sentence(string device, int cudaDevices, string expected) =>
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => Names(new TrainingPolicy { Device = device }, cudaDevices)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_list_that_nothing_would_use_is_refused() =>
        Assert.Contains("train_distributed: true", Assert.Throws<InvalidDataException>(() => Names(new TrainingPolicy { Devices = ["cpu", "cpu"] }, 0)).Message, StringComparison.Ordinal);

    private static string Names(TrainingPolicy policy, int cudaDevices) =>
        string.Join(' ', TrainingDevices.Of(policy, cudaDevices).Select(device => device.type == DeviceType.CPU ? "cpu" : $"cuda:{device.index}"));
}
