namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class PolicyReaderTests
{
    [Fact]
    public void Flat_and_nested_forms_read_the_same()
    {
        TrainingPolicy flat = Read("lr: 1e-5\nmax_output: 100\nuse_scheduler: false\ntop_k: 3\nhead: none\nbatching: users\nmax_duration: 90\nembedder: some/folder\ndevice: cpu\n");
        TrainingPolicy nested = Read("""
            policy_configs:
              embedding_policy:
                policy_type: beeformer
                lr: 1e-5
                max_output: 100
                use_scheduler: false
                top_k: 3
                head: none
                batching: users
                max_duration: 00:01:30
                embedder: some/folder
                use_images: false
                train_distributed: false
              scoring_policy:
                policy_type: beeformer
                lr: 1e-5
            """);
        Assert.Equal(flat, nested);
        Assert.Equal(1e-5, flat.Lr);
        Assert.Equal(TimeSpan.FromSeconds(90), flat.MaxDuration);
        Assert.Equal(HeadKind.None, flat.Head);
    }

    [Fact]
    public void An_empty_file_is_the_default_policy() => Assert.Equal(new TrainingPolicy(), Read(""));

    [Theory]
    [InlineData("lr: 1e-4\nlearning_rate: 1\n", 2, 1, "learning_rate")]
    [InlineData("lr: fast\n", 1, 5, "a number from 0 to 1")]
    [InlineData("lr: NaN\n", 1, 5, "a number from 0 to 1")]
    [InlineData("batch_size: 0\n", 1, 13, "a whole number from 1")]
    [InlineData("max_output: 99999999999\n", 1, 13, "a whole number from 1")]
    [InlineData("head: big\n", 1, 7, "words or none")]
    [InlineData("use_images: maybe\n", 1, 13, "true or false")]
    [InlineData("head_attributes: 1\n", 1, 18, "true or false")]
    [InlineData("train_distributed: maybe\n", 1, 20, "true or false")]
    [InlineData("device: gpu\n", 1, 9, "cpu, cuda or cuda:N")]
    [InlineData("device: cuda:-1\n", 1, 9, "cpu, cuda or cuda:N")]
    [InlineData("devices: [cpu, tpu]\n", 1, 16, "cpu, cuda or cuda:N")]
    [InlineData("devices: cpu\n", 1, 10, "a list of 1 to 64 devices")]
    [InlineData("policy_configs:\n  embedding_policy:\n    policy_type: random\n", 3, 18, "expected beeformer")]
    [InlineData("policy_configs:\n  other: {}\n", 2, 3, "embedding_policy or scoring_policy")]
    [InlineData("policy_configs:\n  embedding_policy: {lr: 1e-4}\n  scoring_policy: {lr: 1e-5}\n", 3, 24, "must agree")]
    [InlineData("canary_texts: kettle\n", 1, 15, "a list of texts")]
    [InlineData("lr: [1e-4]\n", 1, 5, "a single value")]
    [InlineData("elsa_epochs: -1\n", 1, 14, "a whole number from 0")]
    [InlineData("warm_start: fresh\n", 1, 13, "incumbent or base or both")]
    [InlineData("replay_share: 0.95\n", 1, 15, "a number from 0 to 0.9")]
    [InlineData("weight_averaging: 1\n", 1, 19, "a number from 0 to 0.95")]
    [InlineData("validation_share: 0.6\n", 1, 19, "a number from 0 to 0.5")]
    [InlineData("validate_every: 0\n", 1, 17, "a whole number from 1")]
    [InlineData("patience: 0\n", 1, 11, "a whole number from 1")]
    [InlineData("checkpoint_every: -1\n", 1, 19, "more than zero")]
    [InlineData("- lr\n", 1, 1, "a mapping")]
    [InlineData("lr: [1\n", 2, 1, "not YAML")]
    public void What_is_wrong_is_named_with_line_and_column(string yaml, int line, int column, string expected)
    {
        string message = Assert.Throws<InvalidDataException>(() => Read(yaml)).Message;
        Assert.StartsWith($"policy.yaml({line},{column}): ", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Canary_texts_are_a_list() => Assert.Equal(["a kettle", ""], Read("canary_texts: [a kettle, '']\n").CanaryTexts);

    [Fact]
    public void Trainings_that_go_on_are_described()
    {
        TrainingPolicy policy = Read("warm_start: both\nreplay_share: 0.3\nweight_averaging: 0.5\nvalidation_share: 0.2\nvalidate_every: 7\npatience: 2\ncheckpoint_every: 90\n");
        Assert.Equal((WarmStart.Both, 0.3, 0.5, 0.2, 7, 2, TimeSpan.FromSeconds(90)),
            (policy.WarmStart, policy.ReplayShare, policy.WeightAveraging, policy.ValidationShare, policy.ValidateEvery, policy.Patience, policy.CheckpointEvery));
        Assert.Equal(TimeSpan.Zero, Read("checkpoint_every: 0\n").CheckpointEvery);
    }

    [Fact]
    public void The_published_example_of_another_product_is_read_as_written()
    {
        TrainingPolicy policy = Read("""
            policy_configs:
              embedding_policy: # Or scoring_policy
                policy_type: beeformer
                max_seq_length: 384
                batch_size: 1
                epochs: 1
                lr: 1e-5
                max_output: 1
                top_k: 0
                embedder_batch_size: 100
            """);
        Assert.Equal((PolicyType.Beeformer, 384, 1, 1, 1e-5, 1, 0, 100), (policy.Type, policy.MaxSeqLength, policy.BatchSize, policy.Epochs, policy.Lr, policy.MaxOutput, policy.TopK, policy.EmbedderBatchSize));
    }

    [Fact]
    public void Event_values_name_the_types_that_are_learned_from()
    {
        TrainingPolicy policy = Read("event_values: [purchase, wishlist]\n");
        Assert.Equal(new Dictionary<string, double> { ["purchase"] = 1, ["wishlist"] = 1 }, new TrainerOptions().Query(default, policy).TypeWeights);
        Assert.Equal(0.2, new TrainerOptions { TypeWeights = { ["purchase"] = 0.2, ["view"] = 0.1 } }.Query(default, policy).TypeWeights["purchase"]);
        Assert.Equal(new TrainerOptions().Query(default).TypeWeights, new TrainerOptions().Query(default, Read("")).TypeWeights);
    }

    [Fact]
    public void A_missing_file_is_named() => Assert.Contains("nowhere.yaml", Assert.Throws<InvalidDataException>(() => TrainingPolicy.Load("nowhere.yaml")).Message, StringComparison.Ordinal);

    private static TrainingPolicy Read(string yaml) => PolicyReader.Read(new StringReader(yaml), "policy.yaml");
}
