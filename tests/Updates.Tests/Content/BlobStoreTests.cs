using Fleet.Contracts.Storage;
using Fleet.Updates.Content;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Updates.Tests.Content;

public sealed class BlobStoreTests : IDisposable
{
    private static readonly byte[] Large = MadeUp(3 * 128 * 1024 + 17, seed: 1);
    private static readonly CancellationToken Now = CancellationToken.None;

    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-blobs-").FullName;
    private readonly FakeTimeProvider _clock = new();
    private long _free = long.MaxValue / 2;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(128 * 1024)]
    [InlineData(128 * 1024 + 1)]
    [InlineData(1_000_000)]
    public async Task What_is_committed_is_read_back_also_after_a_restart(int length)
    {
        var content = MadeUp(length, seed: 2);
        var hash = await Keep(Store(), content);

        Assert.Equal(content, await Read(Store(), hash));
    }

    [Fact]
    public async Task Any_range_is_read()
    {
        var store = Store();
        var hash = await Keep(store, Large);
        foreach (var (from, count) in new[] { (0, 10), (128 * 1024 - 1, 2), (5, 300_000), (Large.Length - 1, 1), (Large.Length, 5), (0, Large.Length) })
        {
            using var reader = store.Open(hash)!;
            using var target = new MemoryStream();
            await reader.CopyTo(target, from, count, Now);

            Assert.Equal(Large.Skip(from).Take(count), target.ToArray());
        }
    }

    [Fact]
    public async Task A_part_goes_on_where_it_was_cut_and_is_verified_as_a_whole()
    {
        var hash = BlobHash.Over(Large);
        using (var part = Store().Begin(hash, Large.Length, _ => false))
            await part.Write(Large.AsMemory(0, 200_000), Now);

        var store = Store();
        using (var part = store.Begin(hash, Large.Length, _ => false))
        {
            Assert.Equal(200_000, part.Written);
            await part.Write(Large.AsMemory(200_000), Now);
            part.Commit();
        }

        Assert.Equal(Large, await Read(store, hash));
    }

    [Fact]
    public async Task A_part_whose_beginning_the_disk_changed_is_found_out_and_begun_anew()
    {
        var hash = BlobHash.Over(Large);
        var store = Store();
        using (var part = store.Begin(hash, Large.Length, _ => false))
            await part.Write(Large.AsMemory(0, 200_000), Now);
        Flip(Path.Combine(_directory, "parts", hash + ".part"), at: 7);

        using var again = store.Begin(hash, Large.Length, _ => false);
        await again.Write(Large.AsMemory(200_000), Now);

        Assert.Throws<InvalidDataException>(again.Commit);
        Assert.Equal((0, false), (again.Written, store.Contains(hash)));
    }

    [Fact]
    public async Task Content_that_is_not_what_its_name_says_is_never_a_blob()
    {
        var store = Store();
        using var part = store.Begin(BlobHash.Over(Large), 5, _ => false);
        await part.Write("wrong"u8.ToArray(), Now);

        Assert.Throws<InvalidDataException>(part.Commit);
        Assert.Empty(store.List());
    }

    [Fact]
    public async Task A_source_that_sends_more_than_was_signed_is_stopped_at_that_byte()
    {
        using var part = Store().Begin(BlobHash.Over(Large), 100, _ => false);
        await part.Write(Large.AsMemory(0, 100), Now);

        await Assert.ThrowsAsync<InvalidDataException>(async () => await part.Write(new byte[1], Now));
        Assert.Equal(0, new FileInfo(Directory.GetFiles(Path.Combine(_directory, "parts")).Single()).Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(200_000)]
    [InlineData(393_232)]
    public async Task A_byte_that_the_disk_flipped_is_never_handed_out_and_the_blob_is_set_aside(int at)
    {
        var store = Store();
        var hash = await Keep(store, Large);
        Flip(PathOf(hash), at);
        var told = new List<BlobHash>();
        store.Damaged += told.Add;
        using var reader = store.Open(hash)!;
        using var target = new MemoryStream();

        await Assert.ThrowsAsync<BlobDamagedException>(() => reader.CopyTo(target, 0, Large.Length, Now));

        Assert.Equal(Large.Take((int)target.Length), target.ToArray());
        Assert.Equal([hash], told);
        Assert.Equal((false, 0), (store.Contains(hash), store.Used));
        Assert.True(File.Exists(Path.Combine(_directory, "damaged", hash.Value)));
        await Keep(store, Large);
        Assert.Equal(Large, await Read(store, hash));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Checksums_that_are_gone_or_flipped_are_made_anew_of_what_the_hash_says_is_right(bool gone)
    {
        var hash = await Keep(Store(), Large);
        if (gone)
            File.Delete(PathOf(hash) + ".sums");
        else
            File.WriteAllText(PathOf(hash) + ".sums", "nonsense");

        Assert.Equal(Large, await Read(Store(), hash));
        Assert.True(new FileInfo(PathOf(hash) + ".sums").Length > 8);
    }

    [Fact]
    public async Task A_blob_without_its_checksums_and_with_a_flipped_byte_is_damaged()
    {
        var hash = await Keep(Store(), Large);
        File.Delete(PathOf(hash) + ".sums");
        Flip(PathOf(hash), 9);

        Assert.Throws<BlobDamagedException>(() => Store().Open(hash));
    }

    [Fact]
    public async Task Scrubbing_finds_what_nobody_reads()
    {
        var store = Store();
        var (good, bad) = (await Keep(store, MadeUp(1000, 3)), await Keep(store, MadeUp(2000, 4)));
        Flip(PathOf(bad), 1999);

        var scrubbing = store.Scrub(bytesPerSecond: 1000, Now);
        while (!scrubbing.IsCompleted)
            _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal((2, 1), await scrubbing);
        Assert.Equal((true, false), (store.Contains(good), store.Contains(bad)));
    }

    [Fact]
    public async Task In_a_full_store_what_nothing_needs_makes_room_and_the_longest_unused_goes_first()
    {
        var store = Store(quota: 3000);
        var hashes = new List<BlobHash>();
        for (var n = 0; n < 3; n++)
        {
            hashes.Add(await Keep(store, MadeUp(1000, 10 + n)));
            _clock.Advance(TimeSpan.FromMinutes(1));
        }

        store.Open(hashes[0])!.Dispose();
        using var part = store.Begin(BlobHash.Over(Large), 1000, h => h == hashes[2]);

        Assert.Equal([true, false, true], hashes.Select(store.Contains));
        Assert.Equal(3000, store.Used);
    }

    [Fact]
    public async Task Where_all_is_needed_the_refusal_says_what_is_missing_and_nothing_goes()
    {
        var store = Store(quota: 3000);
        var hash = await Keep(store, MadeUp(2500, 5));

        var refused = Assert.Throws<StorageException>(() => store.Begin(BlobHash.Over(Large), 1000, _ => true));

        Assert.Contains("500 bytes are missing", refused.Message, StringComparison.Ordinal);
        Assert.True(store.Contains(hash));
        Assert.Equal(2500, store.Used);
    }

    [Fact]
    public void A_disk_that_is_nearly_full_is_not_filled()
    {
        _free = 1500;

        Assert.Contains("to stay free on the disk", Assert.Throws<StorageException>(() => Store(minFree: 1000).Begin(BlobHash.Over(Large), 1000, _ => true)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Room_that_was_kept_for_a_part_is_given_back_with_it()
    {
        var store = Store(quota: 3000);
        var hash = BlobHash.Over(Large);
        var part = store.Begin(hash, 2000, _ => false);
        await part.Write(new byte[10], Now);
        Assert.Throws<InvalidOperationException>(() => store.Begin(hash, 2000, _ => false));
        Assert.Equal(2000, store.Used);

        part.Dispose();

        Assert.Equal(0, store.Used);
    }

    [Fact]
    public async Task What_is_unused_and_not_needed_is_collected_and_old_parts_with_it()
    {
        var store = Store();
        var (kept, old) = (await Keep(store, MadeUp(1000, 6)), await Keep(store, MadeUp(500, 7)));
        using (var part = store.Begin(BlobHash.Over(Large), 1000, _ => false))
            await part.Write(new byte[100], Now);
        File.SetLastWriteTimeUtc(Directory.GetFiles(Path.Combine(_directory, "parts")).Single(), _clock.GetUtcNow().UtcDateTime);
        _clock.Advance(TimeSpan.FromDays(8));

        Assert.Equal(600, store.Collect(h => h == kept, TimeSpan.FromHours(1)));
        Assert.Equal((true, false), (store.Contains(kept), store.Contains(old)));
        Assert.Empty(Directory.GetFiles(Path.Combine(_directory, "parts")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("../../etc/passwd")]
    [InlineData("ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789")]
    [InlineData("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde/")]
    public void What_is_no_hash_is_no_name(string text) => Assert.Null(BlobHash.Parse(text));

    private BlobStore Store(long quota = 1L << 30, long minFree = 0) => new(_directory, new BlobStoreOptions(quota, minFree, TimeSpan.FromDays(7)), _clock, _ => _free);

    private static async Task<BlobHash> Keep(BlobStore store, byte[] content)
    {
        var hash = BlobHash.Over(content);
        using var part = store.Begin(hash, content.Length, _ => true);
        await part.Write(content, Now);
        part.Commit();
        return hash;
    }

    private static async Task<byte[]> Read(BlobStore store, BlobHash hash)
    {
        using var reader = store.Open(hash)!;
        using var target = new MemoryStream();
        await reader.CopyTo(target, 0, reader.Length, Now);
        return target.ToArray();
    }

    private string PathOf(BlobHash hash) => Path.Combine(_directory, "blobs", hash.Value[..2], hash.Value);

    private static void Flip(string path, long at)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = at;
        var was = file.ReadByte();
        file.Position = at;
        file.WriteByte((byte)(was ^ 1));
    }

    private static byte[] MadeUp(int length, int seed)
    {
        var content = new byte[length];
        new Random(seed).NextBytes(content);
        return content;
    }
}
