using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Fetching;
using Fleet.Updates.Tuf.Client;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Updates.Tests.Deltas;

/// <summary>Whatever a delta, or what it builds on, turns out to be: the right file, or none.</summary>
public sealed class DeltaBuilderTests : IDisposable
{
    private const int MaxFile = 1 << 20;
    private static readonly byte[] Older = MadeUp(100_000, 1);
    private static readonly byte[] Newer = [.. Older.AsSpan(0, 60_000), .. "changed"u8, .. Older.AsSpan(60_000)];
    private static readonly byte[] Patch = ZstdDelta.Make(Older, Newer);

    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-deltas-").FullName;
    private readonly FakeTimeProvider _clock = new();
    private readonly List<string> _told = [];
    private readonly Source _source = new();
    private readonly BlobStore _store;
    private readonly DeltaBuilder _builder;
    private long _came;

    public DeltaBuilderTests()
    {
        _store = new BlobStore(_directory, new BlobStoreOptions(1 << 30, 0, TimeSpan.FromDays(7)), _clock, _ => long.MaxValue / 2);
        var fetcher = new BlobFetcher(_store, _ => true, new Budget(_clock), Pace.Default, _clock);
        fetcher.Came += (_, _, bytes) => _came += bytes;
        _builder = new DeltaBuilder(_store, fetcher, MaxFile);
        _builder.Built += (_, saved) => _told.Add($"saved {saved}");
        _builder.Failed += (_, why) => _told.Add(why);
    }

    public void Dispose()
    {
        _builder.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_file_is_built_of_an_older_one_and_only_the_delta_comes()
    {
        Assert.True(await Build(Newer, new Here(Older), Listed(Older, Newer, Patch)));

        Assert.Equal(Newer, _store.ReadAll(BlobHash.Over(Newer), MaxFile));
        Assert.Equal((Patch.Length, $"saved {Newer.Length - Patch.Length}"), (_came, Assert.Single(_told)));
        Assert.InRange(Patch.Length, 1, 1000);
    }

    [Fact]
    public async Task However_many_ask_it_is_built_once()
    {
        var delta = Listed(Older, Newer, Patch);

        Assert.All(await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Build(Newer, new Here(Older), delta))), Assert.True);

        Assert.Single(_told);
        Assert.Equal(1, _source.Opened);
    }

    [Fact]
    public async Task Without_the_older_file_no_delta_is_fetched()
    {
        Assert.False(await Build(Newer, new Here(MadeUp(50_000, 2)), Listed(Older, Newer, Patch)));

        Assert.Equal((0, 0), (_came, _told.Count));
    }

    [Fact]
    public async Task Attack_17_an_older_file_that_somebody_changed_makes_nothing()
    {
        Assert.False(await Build(Newer, new Here(Older) { Changed = [.. Older[..^1], 0] }, Listed(Older, Newer, Patch)));

        Assert.False(_store.Contains(BlobHash.Over(Newer)));
        Assert.Contains($"what was {BlobHash.Over(Older)} is", Assert.Single(_told), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Attack_17_a_delta_that_makes_something_else_makes_nothing_and_is_not_tried_twice()
    {
        var poisoned = Listed(Older, Newer, ZstdDelta.Make(Older, [.. Newer[..^1], 0]));

        Assert.False(await Build(Newer, new Here(Older), poisoned));
        Assert.False(await Build(Newer, new Here(Older), poisoned));

        Assert.False(_store.Contains(BlobHash.Over(Newer)));
        Assert.StartsWith("it makes ", Assert.Single(_told), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Attack_17_a_delta_over_another_file_makes_nothing()
    {
        Assert.False(await Build(Newer, new Here(Older), Listed(Older, Newer, ZstdDelta.Make(MadeUp(100_000, 3), Newer[..50_000]))));

        Assert.False(_store.Contains(BlobHash.Over(Newer)));
        Assert.Single(_told);
    }

    [Fact]
    public async Task Attack_11_a_delta_that_makes_a_hundred_times_what_was_signed_is_stopped_there()
    {
        Assert.False(await Build(Newer, new Here(Older), Listed(Older, Newer, ZstdDelta.Make(Older, new byte[100 * Newer.Length]))));

        Assert.Contains("zstd", Assert.Single(_told), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_useless_delta_does_not_keep_back_a_good_one()
    {
        Assert.True(await Build(Newer, new Here(Older), Listed(Older, Newer, MadeUp(500, 4)), Listed(Older, Newer, Patch)));

        Assert.Equal(2, _told.Count);
    }

    [Fact]
    public async Task A_delta_that_no_source_has_is_told_and_tried_again()
    {
        Assert.False(await Build(Newer, new Here(Older), new FileDelta(BlobHash.Over(Older), BlobHash.Over(Newer), BlobHash.Over(Patch), Patch.Length)));
        Assert.Contains("does not have it", Assert.Single(_told), StringComparison.Ordinal);

        Assert.True(await Build(Newer, new Here(Older), Listed(Older, Newer, Patch)));
    }

    [Fact]
    public async Task A_file_beyond_the_limit_comes_whole()
    {
        var large = new byte[MaxFile + 1];

        Assert.False(await Build(large, new Here(Older), Listed(Older, large, ZstdDelta.Make(Older, large))));
        Assert.Equal((0, 0), (_came, _told.Count));
    }

    private Task<bool> Build(byte[] file, IOlderFiles older, params FileDelta[] deltas) => _builder.Build(BlobHash.Over(file), file.Length, deltas, [older], _ => [_source], CancellationToken.None);

    private FileDelta Listed(byte[] older, byte[] newer, byte[] delta)
    {
        _source.Blobs[BlobHash.Over(delta)] = delta;
        return new FileDelta(BlobHash.Over(older), BlobHash.Over(newer), BlobHash.Over(delta), delta.Length);
    }

    private static byte[] MadeUp(int length, int seed)
    {
        var content = new byte[length];
        new Random(seed).NextBytes(content);
        return content;
    }

    private sealed class Here(byte[] content) : IOlderFiles
    {
        public byte[]? Changed { get; init; }

        public bool Has(BlobHash hash) => hash == BlobHash.Over(content);

        public byte[]? Read(BlobHash hash, int maxBytes) => Changed ?? content;
    }

    private sealed class Source : IBlobSource
    {
        private int _opened;

        public string Name => "vendor";

        public Dictionary<BlobHash, byte[]> Blobs { get; } = [];

        public int Opened => _opened;

        public Task<Stream?> Open(BlobHash hash, long from, CancellationToken cancellation)
        {
            Interlocked.Increment(ref _opened);
            return Task.FromResult<Stream?>(Blobs.TryGetValue(hash, out var blob) ? new MemoryStream(blob, (int)from, blob.Length - (int)from) : null);
        }
    }
}
