using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Trainer;

/// <summary>How a training ended.</summary>
/// <param name="Published">The new live model; null when nothing changed.</param>
/// <param name="Decision">Why, in plain words.</param>
/// <param name="Metrics">What the gate saw; null when it never came so far.</param>
internal sealed record TrainingOutcome(ModelManifest? Published, string Decision, JsonObject? Metrics = null);

/// <summary>
/// One training from window to verdict: read, split in time, learn, evaluate, gate, publish. Learns from the part before the split only, and publishes exactly the model
/// that was measured; so the incumbent, made the same way from an earlier window, has not seen the slice it is compared on either.
/// </summary>
/// <param name="itemText">As configured: the template of a training that begins anew (<see cref="WarmStart.Base"/>). One that goes on has that of the model it goes on from.</param>
/// <param name="workers">Other machines that share the steps of the encoder where the policy asks for it; null: there are none.</param>
/// <param name="resumption">Where a training of the encoder is kept while it runs, and one that may be gone on with; null: nowhere.</param>
internal sealed class TrainingRun(IWindowStore windows, IModelStore models, SharedModels shared, EncoderOutputCache cache, ItemText itemText, TrainingPolicy policy, WindowQuery query, TimeProvider clock,
    Resumption? resumption = null, WorkerDirectory? workers = null)
{
    private static readonly JsonSerializerOptions SnakeCase = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <exception cref="OperationCanceledException">Nothing was changed.</exception>
    public TrainingOutcome Run(TrainEncoder request, IProgress<TrainingProgressed>? progress, CancellationToken cancellationToken)
    {
        try
        {
            return Learn(request, progress, cancellationToken);
        }
        catch (InsufficientMemoryException tooLittle)
        {
            return Rejected(tooLittle.Message);
        }
    }

    private TrainingOutcome Learn(TrainEncoder request, IProgress<TrainingProgressed>? progress, CancellationToken cancellationToken)
    {
        var phases = new TrainingPhases(request.TrainingId, progress, clock);
        if (policy.Type == PolicyType.SentenceTransformer) return Rejected("policy_type is sentence_transformer: the encoder serves as it came, and nothing is trained.");
        if (policy is { Type: PolicyType.Elsa, ElsaEpochs: 0 }) return Rejected("policy_type is elsa and elsa_epochs is 0: there is nothing to compare; set elsa_epochs.");
        if (request.Tempo == TrainingTempo.Head && policy.Head == HeadKind.None)
            return Rejected("The policy has no head (head: none): the head tempo has nothing to train; ask for the encoder tempo.");
        if (TrainingDevices.Problem(policy) is { } missing) return Rejected(missing);
        if (workers?.Problem(policy) is { } devices) return Rejected(devices);
        if (PicturePolicy.Problem(policy, shared.Pictures) is { } pictureless) return Rejected(pictureless);
        if (models.Live is not { } live) return Rejected("No model is live yet: there is nothing to start from.");

        phases.Report("window", 0, null);
        ItemText text = policy.WarmStart == WarmStart.Base ? itemText : ItemText.Read(models.EncoderFolder(live));
        TrainingInput input = TrainingInput.Read(windows, query, policy, text, live, resumption?.Interruption);
        EncoderCheckpoint? checkpoint = null;
        TrainingOutcome outcome = Run(request, input, text, live, phases, start => checkpoint = resumption?.Checkpoint(request, input, live, policy, start), cancellationToken);
        return (input.Problem ?? checkpoint?.Problem) is { } problem ? outcome with { Decision = $"An interrupted training could not be resumed and was begun anew: {problem} {outcome.Decision}" } : outcome;
    }

    /// <param name="keep">Told the encoder that a training begins with: where its state is kept.</param>
    private TrainingOutcome Run(TrainEncoder request, TrainingInput input, ItemText text, ModelVersion live, TrainingPhases phases, Func<ItemEncoder, EncoderCheckpoint?> keep, CancellationToken cancellationToken)
    {
        InteractionWindow window = input.Window.Rows;
        if (window.Count == 0) return Rejected("The window is empty: there is nothing to learn.");
        if (LastTraining.Find(models, request.Tempo) is { } last && last.WindowHash == window.ContentHash)
            return Rejected($"The window (content {Short(window.ContentHash)}) is the one last trained at this tempo; it is not trained again. What was decided then: {last.Decision}");
        TrainingCatalogue catalogue = input.Catalogue;
        int[] indexes = catalogue.IndexesOf(window.Items);
        if (WindowSplit.Of(window, indexes, catalogue.Texts.Count, policy.HoldoutShare, out string? problem, input.Window.Older) is not { } split) return Rejected(problem!);
        if (split.Users.Length < policy.MinHoldoutUsers)
            return Rejected($"Only {split.Users.Length} users with a history chose something new in the held-out slice; at least {policy.MinHoldoutUsers} are needed to compare models.");
        WindowSplit? old = WindowSplit.Old(window, indexes, split, policy.HoldoutShare);
        LearningSplit learning = LearningSplit.Of(input.Window, indexes, split, policy);
        var record = new JsonObject { ["older"] = input.Window.Older };
        if (learning.Validation is { } validation) record["validation"] = new JsonObject { ["split"] = DateTimeOffset.FromUnixTimeMilliseconds(validation.SplitMs).ToString("O", CultureInfo.InvariantCulture), ["users"] = validation.Users.Length };
        if (learning.Problem is { } nothingKept) record["validation_problem"] = nothingKept;
        phases.Report("window", 1, null);

        using IDisposable inUse = models.Lease(live);
        using EmbeddingModel incumbent = shared.Rent(models.EncoderFolder(live), cache);
        if (PicturePolicy.Problem(policy, incumbent) is { } other) return Rejected(other);
        if (policy.Type == PolicyType.Elsa) return Compared(live, request, window, Compare(incumbent, catalogue, split, old, phases, cancellationToken));
        using EmbeddingModel? untrained = request.Tempo == TrainingTempo.Encoder && policy.WarmStart == WarmStart.Base ? Untrained(record) : null;
        (ItemEncoder? tuned, Head? inLoop) = request.Tempo == TrainingTempo.Encoder
            ? LearnEncoder(untrained ?? incumbent, catalogue, learning, keep, phases, record, cancellationToken)
            : default((ItemEncoder?, Head?));
        using ItemEncoder? owned = tuned;
        if (tuned is not null && !tuned.IsFinite) return Refused(live, request, window, [], "Refused: the encoder's weights are no longer finite numbers after training; lower lr.");
        if (tuned is not null && policy.WeightAveraging > 0) WeightAveraging.Average(tuned, incumbent.ItemEncoder, policy.WeightAveraging);
        ItemEncoder encoder = tuned ?? incumbent.ItemEncoder;

        Head? head = policy.Head == HeadKind.Words
            ? new HeadLearning(policy, catalogue, learning, clock, phases, record).Learn(ModelTraining.Encode(encoder, catalogue, shared.Pictures, cache, phases, cancellationToken), inLoop ?? incumbent.Head, request.Tempo, cancellationToken)
            : null;
        if (head is not null && incumbent.Head is { } headBefore && policy.WeightAveraging > 0) head = WeightAveraging.Average(head, headBefore, policy.WeightAveraging);
        if (head is not null && !HeadLearning.Finite(head))
            return Refused(live, request, window, [], "Refused: the head's weights are no longer finite numbers after training; lower head_lr and head_word_lr.");

        using var challenger = new EmbeddingModel(encoder, head, text, cache, shared.Pictures);
        (GateDecision decision, JsonObject metrics) = Judge(challenger, incumbent, live, catalogue, split, old, phases, cancellationToken);
        metrics["learning"] = record;
        cancellationToken.ThrowIfCancellationRequested();
        return decision.Promoted
            ? Publish(challenger, live, request, window, metrics, decision.Sentence)
            : Refused(live, request, window, metrics, decision.Sentence);
    }

    private (ItemEncoder Encoder, Head? Head) LearnEncoder(EmbeddingModel start, TrainingCatalogue catalogue, LearningSplit learning, Func<ItemEncoder, EncoderCheckpoint?> keep, TrainingPhases phases, JsonObject record,
        CancellationToken cancellationToken)
    {
        EarlyStopping? stopping = learning.Slice is null ? null : new EarlyStopping(learning.Slice, policy);
        (ItemEncoder, Head?) trained = ModelTraining.LearnEncoder(start.ItemEncoder, HeadInLoop(start, catalogue), catalogue, shared.Pictures, learning.Interactions, policy, cache, clock, phases, cancellationToken, stopping, keep(start.ItemEncoder), workers);
        if (stopping is not null) record["encoder"] = stopping.ToJson();
        return trained;
    }

    /// <returns>Null: there is none that can be started from, and the record says why.</returns>
    private EmbeddingModel? Untrained(JsonObject record)
    {
        if (models.List().FirstOrDefault(m => m.IsUntrained) is not { } first) record["start_problem"] = "There is no untrained model any more; the training started from the model in service.";
        else if (models.Problem(first.Version) is { } problem) record["start_problem"] = $"{problem} The training started from the model in service.";
        else
        {
            EmbeddingModel model = shared.Rent(models.EncoderFolder(first.Version), cache);
            if (PicturePolicy.Problem(policy, model) is null) return model;
            model.Dispose();
            record["start_problem"] = "The untrained model and the one in service are not both of texts alone, or both of texts and pictures. The training started from the model in service.";
        }
        return null;
    }

    private Head? HeadInLoop(EmbeddingModel start, TrainingCatalogue catalogue) => policy.Head == HeadKind.None
        ? null
        : start.Head?.WithTexts(catalogue.WordsFor(start.Head.Shape)) ?? ModelTraining.NewHead(start.Encoder.Dimension, catalogue.Texts, catalogue.Words, policy);

    private (GateDecision Decision, JsonObject Metrics) Judge(EmbeddingModel challenger, EmbeddingModel incumbent, ModelVersion live, TrainingCatalogue catalogue, WindowSplit split, WindowSplit? old,
        TrainingPhases phases, CancellationToken cancellationToken)
    {
        var evaluation = new ModelEvaluation(split, policy.HeadAttributes ? catalogue.Words : catalogue.Texts, policy, cancellationToken, old, catalogue.Items);
        ModelManifest? first = models.List().FirstOrDefault(m => m.IsUntrained);
        if (first is not null && first.Version == live)
        {
            (GateDecision decision, JsonObject record) = Judgement.Of(challenger, incumbent, untrained: null, evaluation, split, policy, phases);
            record["base"] = record["incumbent"]!.DeepClone();
            return (decision, record);
        }
        if (first is not null && models.Problem(first.Version) is { } problem)
        {
            (GateDecision decision, JsonObject record) = Judgement.Of(challenger, incumbent, untrained: null, evaluation, split, policy, phases);
            record["base_problem"] = problem;
            return (decision, record);
        }
        using EmbeddingModel? untrained = first is null ? null : shared.Rent(models.EncoderFolder(first.Version), cache);
        return Judgement.Of(challenger, incumbent, untrained, evaluation, split, policy, phases);
    }

    /// <summary>ELSA and the other baselines beside the model in service, on the same slice.</summary>
    private JsonObject Compare(EmbeddingModel incumbent, TrainingCatalogue catalogue, WindowSplit split, WindowSplit? old, TrainingPhases phases, CancellationToken cancellationToken)
    {
        phases.Report("evaluate", 0, null);
        var evaluation = new ModelEvaluation(split, policy.HeadAttributes ? catalogue.Words : catalogue.Texts, policy, cancellationToken, old, catalogue.Items);
        var metrics = new JsonObject
        {
            ["split"] = DateTimeOffset.FromUnixTimeMilliseconds(split.SplitMs).ToString("O", CultureInfo.InvariantCulture),
            ["users"] = split.Users.Length,
            ["incumbent"] = ModelEvaluation.ToJson(evaluation.Of(incumbent)),
        };
        evaluation.AddBaselines(metrics);
        phases.Report("evaluate", 1, null);
        return metrics;
    }

    private TrainingOutcome Compared(ModelVersion live, TrainEncoder request, InteractionWindow window, JsonObject metrics) => Refused(live, request, window, metrics, FormattableString.Invariant(
        $"Compared: ndcg@100 of ELSA {(double?)metrics["elsa"]!["all"]!["ndcg@100"]:0.0000}, of {live} {(double?)metrics["incumbent"]!["all"]!["ndcg@100"]:0.0000}. policy_type elsa is for comparison and is not served: it knows neither new items nor texts."));

    private TrainingOutcome Publish(EmbeddingModel challenger, ModelVersion live, TrainEncoder request, InteractionWindow window, JsonObject metrics, string sentence)
    {
        var draft = new ModelDraft(challenger.Fingerprint, challenger.Dimension, live, window.ContentHash, window.AsOf, HyperParameters(request.Tempo, challenger.Text), metrics, sentence);
        (ModelManifest manifest, bool isLive) = models.PublishLive(draft, live, challenger.Save);
        return isLive
            ? new TrainingOutcome(manifest, sentence, metrics)
            : Rejected($"{sentence} Version {manifest.Version} was published and is not live: another version took the place of {live} meanwhile.");
    }

    private TrainingOutcome Refused(ModelVersion live, TrainEncoder request, InteractionWindow window, JsonObject metrics, string sentence)
    {
        metrics["tempo"] = LastTraining.Name(request.Tempo);
        models.RecordRefusal(new Refusal(clock.GetUtcNow(), live, window.ContentHash, metrics, sentence, window.AsOf));
        return new TrainingOutcome(null, sentence, metrics);
    }

    private static TrainingOutcome Rejected(string sentence) => new(null, sentence);

    private JsonObject HyperParameters(TrainingTempo tempo, ItemText text)
    {
        JsonObject parameters = JsonSerializer.SerializeToNode(policy, SnakeCase)!.AsObject();
        parameters["tempo"] = LastTraining.Name(tempo);
        parameters["item_text"] = text.Template;
        return parameters;
    }

    private static string Short(string hash) => hash[..Math.Min(8, hash.Length)];
}
