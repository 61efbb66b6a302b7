using System.Collections.Concurrent;
using System.Diagnostics;
using Fleet.TestSupport;
using Fleet.Updates.Content;
using Fleet.Updates.Fetching;
using Fleet.Updates.Tuf.Client;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Updates.Tests.Fetching;

public sealed class BlobFetcherTests : IDisposable
{
    private static readonly byte[] Content = MadeUp(500_000);
    private static readonly BlobHash Hash = BlobHash.Over(Content);
    private static readonly CancellationToken Now = CancellationToken.None;

    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-fetch-").FullName;
    private readonly FakeTimeProvider _clock = new();
    private readonly ConcurrentDictionary<string, long> _came = new();
    private readonly BlobStore _store;
    private readonly Budget _budget;
    private readonly BlobFetcher _fetcher;

    public BlobFetcherTests()
    {
        _store = new BlobStore(_directory, new BlobStoreOptions(1 << 30, 0, TimeSpan.FromDays(7)), _clock, _ => long.MaxValue / 2);
        _budget = new Budget(_clock);
        _fetcher = new BlobFetcher(_store, _ => true, _budget, new Pace(1000, TimeSpan.FromSeconds(10)), _clock);
        _fetcher.Came += (source, _, bytes) => _came.AddOrUpdate(source.Name, bytes, (_, before) => before + bytes);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task However_many_ask_it_is_brought_once()
    {
        var source = new Source("vendor") { Gate = new TaskCompletionSource() };
        var asking = Enumerable.Range(0, 50).Select(_ => Fetch(source)).ToList();
        source.Gate.SetResult();

        await Task.WhenAll(asking);

        Assert.Equal((1, Content.Length), (source.Opened, _came["vendor"]));
        Assert.Equal("", await Fetch(source));
        Assert.Equal(1, source.Opened);
    }

    [Fact]
    public async Task Who_waits_no_longer_ends_nobody_elses_transfer()
    {
        var source = new Source("vendor") { Gate = new TaskCompletionSource() };
        using var gone = new CancellationTokenSource();
        var (first, second) = (_fetcher.Fetch(Hash, Content.Length, [source], gone.Token), Fetch(source));
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        source.Gate.SetResult();

        Assert.Equal("vendor", await second);
    }

    [Fact]
    public async Task A_transfer_that_was_cut_goes_on_at_the_next_source_with_no_byte_twice()
    {
        var (first, second) = (new Source("vendor") { CutAt = 300_000 }, new Source("headquarters"));

        Assert.Equal("headquarters", await Fetch(first, second));
        Assert.Equal((300_000L, 200_000L, 300_000L), (_came["vendor"], _came["headquarters"], second.From));
    }

    [Fact]
    public async Task A_restart_goes_on_where_it_stopped()
    {
        await Assert.ThrowsAsync<FetchException>(() => Fetch(new Source("vendor") { CutAt = 131_072 }));

        var source = new Source("vendor");
        await Fetch(source);

        Assert.Equal(131_072, source.From);
    }

    [Fact]
    public async Task A_source_without_it_is_passed_over()
    {
        Assert.Equal("headquarters", await Fetch(new Source("folder") { Has = false }, new Source("headquarters")));
    }

    [Fact]
    public async Task Attack_09_a_source_that_sends_without_end_is_left_at_the_signed_length()
    {
        var endless = new Source("vendor") { Endless = true };

        Assert.Equal("headquarters", await Fetch(endless, new Source("headquarters")));
        Assert.InRange(_came["vendor"], Content.Length, Content.Length + 65_536);
    }

    [Fact]
    public async Task Attack_10_a_source_that_sends_a_byte_at_a_time_is_left()
    {
        var slow = new Source("vendor") { Silent = true };
        var fetching = Fetch(slow, new Source("headquarters"));
        await Until.True(() => slow.Opened == 1, "the slow source is asked");

        while (!fetching.IsCompleted)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal("headquarters", await fetching);
    }

    [Fact]
    public async Task Wrong_bytes_are_never_kept_and_the_next_source_makes_it_good()
    {
        Assert.Equal("headquarters", await Fetch(new Source("liar") { Flip = 77 }, new Source("headquarters")));
        using var reader = _store.Open(Hash)!;
        using var read = new MemoryStream();
        await reader.CopyTo(read, 0, reader.Length, Now);
        Assert.Equal(Content, read.ToArray());
    }

    [Fact]
    public async Task A_lie_that_another_left_behind_does_not_make_an_honest_source_a_liar()
    {
        Assert.Equal("headquarters", await Fetch(new Source("liar") { Flip = 77, CutAt = 1000 }, new Source("headquarters")));
    }

    [Fact]
    public async Task Where_none_can_bring_it_each_is_named_with_its_reason()
    {
        var fault = await Assert.ThrowsAsync<FetchException>(() => Fetch(new Source("a") { Has = false }, new Source("b") { CutAt = 10 }, new Source("c") { Fault = "connection refused" }));

        Assert.Equal(["a: does not have it", "b: ended after 10 of 500000 bytes", "c: connection refused"], fault.Failures);
        Assert.True(fault.IsPassing);
        Assert.False((await Assert.ThrowsAsync<FetchException>(() => Fetch(new Source("a") { Has = false }))).IsPassing);
        Assert.False(_store.Contains(Hash));
    }

    [Fact]
    public async Task All_downloads_share_one_budget_and_waiting_for_it_is_nobodys_fault()
    {
        // In real time, which can't be shorter than the budget has it; the source's window is shorter than the wait.
        var budget = new Budget(TimeProvider.System) { BytesPerSecond = 1_000_000 };
        var fetcher = new BlobFetcher(_store, _ => true, budget, new Pace(1_000_000, TimeSpan.FromMilliseconds(250)), TimeProvider.System);
        var began = Stopwatch.StartNew();

        Assert.Equal("vendor", await fetcher.Fetch(Hash, Content.Length, [new Source("vendor")], Now));

        Assert.True(began.Elapsed >= TimeSpan.FromMilliseconds(450), $"500,000 bytes came in {began.Elapsed}");
    }

    private Task<string> Fetch(params IBlobSource[] sources) => _fetcher.Fetch(Hash, Content.Length, sources, Now);

    private static byte[] MadeUp(int length)
    {
        var content = new byte[length];
        new Random(1).NextBytes(content);
        return content;
    }

    private sealed class Source(string name) : IBlobSource
    {
        private int _opened;

        public string Name => name;

        public int Opened => _opened;

        public long From { get; private set; }

        public bool Has { get; init; } = true;

        public bool Endless { get; init; }

        public bool Silent { get; init; }

        public int CutAt { get; init; } = int.MaxValue;

        public int? Flip { get; init; }

        public string? Fault { get; init; }

        public TaskCompletionSource? Gate { get; init; }

        public async Task<Stream?> Open(BlobHash hash, long from, CancellationToken cancellation)
        {
            Interlocked.Increment(ref _opened);
            From = from;
            if (Gate is not null)
                await Gate.Task;
            if (Fault is not null)
                throw new IOException(Fault);
            if (!Has)
                return null;
            if (Silent)
                return new SilentStream();
            var content = Content.ToArray();
            if (Flip is { } at)
                content[at] ^= 1;
            return Endless ? new EndlessStream() : new MemoryStream(content, (int)from, Math.Max(0, Math.Min(content.Length, CutAt) - (int)from));
        }
    }

    private sealed class EndlessStream : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(buffer.Length);
    }

    private sealed class SilentStream : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            await new TaskCompletionSource<int>().Task;
    }
}
