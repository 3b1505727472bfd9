using System.Collections.Concurrent;
using System.Globalization;
using BeeFormer.Streaming.Servers;

namespace BeeFormer.Streaming.Chaos;

/// <summary>A shop that changes its catalogue and whose customers buy, all day long: what is not acknowledged is sent again, to another Api, until it is.</summary>
/// <param name="apis">Addresses of all.</param>
/// <param name="log">File that tells of questions that failed.</param>
internal sealed class Shop(IReadOnlyList<string> apis, int seed, string log) : IDisposable
{
    private const int Products = 300, Customers = 200, EventsAtOnce = 20;
    /// <summary>After so many events one customer leaves and another comes: who has bought everything to his taste teaches nothing new.</summary>
    private const int EventsACustomer = 20;
    /// <summary>Of the first event; each later one has a millisecond of its own.</summary>
    private const long FirstMs = 1_700_000_000_000;
    private static readonly string[] s_words = ["oak", "steel", "garden", "kitchen", "lamp", "chair", "table", "blue", "red", "linen", "candle", "mug", "basket", "travel", "winter", "summer", "paper", "glass", "copper", "wool"];

    // An Api that is paused must not hold the shop up for long.
    private readonly ShopClient[] _clients = [.. apis.Select(url => new ShopClient(url, TimeSpan.FromSeconds(5)))];
    private readonly int[] _versions = new int[Products];
    private readonly string[] _titles = new string[Products];
    private long _events;
    private long _retries, _unanswered;

    /// <summary>Ids of events that were acknowledged.</summary>
    public ConcurrentBag<string> Acknowledged { get; } = [];
    public long ItemChanges { get; private set; }
    public long Retries => _retries;
    /// <summary>Questions that one Api after the other failed to answer.</summary>
    public long Unanswered => _unanswered;
    public Questions Questions { get; } = new(log);

    /// <summary>Sends the catalogue, and waits until every Api finds it.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        var random = new Random(seed);
        object[] all = [.. Enumerable.Range(0, Products).Select(n => Item(n, random))];
        await InsistAsync(client => client.PutItemsAsync(all, cancellationToken), random, cancellationToken);
        foreach (ShopClient client in _clients)
            await ChildProcess.UntilAsync(async () => await AnswersAsync(client, cancellationToken), $"{client.Url} to answer questions", cancellationToken);
    }

    private async Task<bool> AnswersAsync(ShopClient client, CancellationToken cancellationToken)
    {
        try
        {
            return (await client.PostAsync("/v1/search", new { text = _titles[0], k = 1 }, cancellationToken))["items"]!.AsArray().Count > 0;
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Until cancelled; what was begun is acknowledged before it ends.</summary>
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(BuyAsync(new Random(seed + 1), stop), ChangeAsync(new Random(seed + 2), stop),
        Task.WhenAll(_clients.Select((_, n) => AskAsync(n, new Random(seed + 3 + n), stop))));

    private async Task BuyAsync(Random random, CancellationToken stop)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (await TickAsync(pace, stop))
        {
            var batch = Enumerable.Range(0, EventsAtOnce).Select(_ =>
            {
                long n = _events++;
                long customer = n / EventsACustomer + random.Next(Customers);
                // Customers have a taste, so that there is something to learn.
                long product = (customer % 10 * 30 + random.Next(30)) % Products;
                return (Id: $"event-{n}", Body: (object)new { event_id = $"event-{n}", user_id = $"customer-{customer}", item_id = $"product-{product}", type = random.Next(3) == 0 ? "purchase" : "click", timestamp = FirstMs + n });
            }).ToList();
            await InsistAsync(client => client.PutEventsAsync(batch.Select(one => one.Body), CancellationToken.None), random, CancellationToken.None);
            foreach (var (id, _) in batch) Acknowledged.Add(id);
        }
    }

    private async Task ChangeAsync(Random random, CancellationToken stop)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(400));
        while (await TickAsync(pace, stop))
        {
            int n = random.Next(Products);
            object item = Item(n, random);
            await InsistAsync(client => random.Next(8) == 0 ? client.DeleteItemAsync($"product-{n}", CancellationToken.None) : client.PutItemsAsync([item], CancellationToken.None), random, CancellationToken.None);
            ItemChanges++;
        }
    }

    /// <summary>What storefronts ask one Api, and where that fails the other: so each is asked all the time, whatever becomes of the others.</summary>
    private async Task AskAsync(int first, Random random, CancellationToken stop)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (await TickAsync(pace, stop))
        {
            string customer = $"customer-{Interlocked.Read(ref _events) / EventsACustomer + random.Next(Customers)}", product = $"product-{random.Next(Products)}", some = $"{s_words[random.Next(s_words.Length)]} {s_words[random.Next(s_words.Length)]}";
            string title = _titles[random.Next(Products)];
            int kind = random.Next(4);
            Task<bool> AskOneAsync(ShopClient client) => kind switch
            {
                0 => Questions.AskAsync(() => client.PostAsync("/v1/recommendations", new { user_id = customer, k = 10 }, stop), null, stop),
                1 => Questions.AskAsync(() => client.PostAsync("/v1/search", new { text = some, k = 10 }, stop), null, stop),
                2 => Questions.AskAsync(() => client.PostAsync("/v1/search", new { text = title, k = 10 }, stop), title, stop),
                _ => Questions.AskAsync(() => client.GetAsync($"/v1/items/{product}/similar?k=10", stop), null, stop),
            };
            int failed = 0;
            while (failed < _clients.Length && !await AskOneAsync(_clients[(first + failed) % _clients.Length])) failed++;
            if (failed == _clients.Length) Interlocked.Increment(ref _unanswered);
        }
    }

    private object Item(int n, Random random)
    {
        _titles[n] = string.Create(CultureInfo.InvariantCulture, $"{s_words[n / 30 % s_words.Length]} {s_words[random.Next(s_words.Length)]} number {n} edition {++_versions[n]}");
        return new { item_id = $"product-{n}", title = _titles[n] };
    }

    /// <summary>One Api after the other, until one has acknowledged.</summary>
    private async Task InsistAsync(Func<ShopClient, Task> send, Random random, CancellationToken cancellationToken)
    {
        for (int attempt = random.Next(_clients.Length); ; attempt++)
        {
            try
            {
                await send(_clients[attempt % _clients.Length]);
                return;
            }
            catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
            {
                Interlocked.Increment(ref _retries);
                await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, cancellationToken);
            }
        }
    }

    private static async Task<bool> TickAsync(PeriodicTimer pace, CancellationToken stop)
    {
        try
        {
            return await pace.WaitForNextTickAsync(stop);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        foreach (ShopClient client in _clients) client.Dispose();
    }
}
