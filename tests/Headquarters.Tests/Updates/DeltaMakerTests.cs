using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Updates;
using Fleet.TestSupport;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Packages;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Headquarters.Tests.Updates;

public sealed class DeltaMakerTests : IDisposable
{
    private static readonly byte[] Program = MadeUp(100_000, 1);
    private static readonly byte[] Next = [.. Program.AsSpan(0, 50_000), .. "changed"u8, .. Program.AsSpan(50_000)];

    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-deltas-").FullName;
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero));
    private readonly UpdateOptions _options = HeadquartersOptions.Load(null, ["updates.delta-max-file=200000b", "updates.min-free=1b"]).Updates;
    private readonly CertificateAuthority _authority;

    public DeltaMakerTests() => _authority = CertificateAuthority.OpenOrCreate(_directory, new IdentityOptions(TimeSpan.FromDays(30)), _clock);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_second_version_gets_deltas_from_the_first_and_its_manifest_stays()
    {
        await using var repository = await Open();
        await using var maker = Maker(repository);
        await Publish(repository, "1.0", Program);

        var published = await Publish(repository, "2.0", Next);

        var deltas = await DeltasOf(repository, "2.0");
        var delta = Assert.Single(deltas);
        Assert.Equal((BlobHash.Over(Program), BlobHash.Over(Next)), (delta.Base, delta.File));
        Assert.Equal(Next, ZstdDelta.Apply(Program, repository.Content.Blobs.ReadAll(delta.Delta, (int)delta.Length)!, Next.Length));
        Assert.Equal(published.Manifest, repository.Find("tills", "2.0")!.Manifest);
        Assert.Equal(["2.0", "1.0"], repository.Packages.Select(p => p.Version));
        Assert.Null(repository.Find("tills", "1.0")!.Deltas);
    }

    [Fact]
    public async Task A_third_version_gets_deltas_from_both()
    {
        await using var repository = await Open();
        await Publish(repository, "1.0", Program);
        await Publish(repository, "2.0", Next);
        await Publish(repository, "3.0", [.. Next, 1]);

        await using var maker = Maker(repository);

        Assert.Equal([BlobHash.Over(Next), BlobHash.Over(Program)], (await DeltasOf(repository, "3.0")).Select(d => d.Base).OrderBy(b => b == BlobHash.Over(Program)));
    }

    [Fact]
    public async Task What_was_published_while_nobody_made_deltas_gets_them_at_the_next_start_and_never_again()
    {
        await using (var before = await Open())
        {
            await Publish(before, "1.0", Program);
            await Publish(before, "2.0", Next);
        }

        ulong made;
        await using (var repository = await Open())
        {
            await using var maker = Maker(repository);
            Assert.Single(await DeltasOf(repository, "2.0"));
            made = repository.Timestamp;
        }

        await using var again = await Open();
        var (renewed, list) = (again.Timestamp, again.Find("tills", "2.0")!.Deltas);
        await using (Maker(again))
            await Publish(again, "else", "1.0", [1]);
        Assert.InRange(renewed, made, made + 1);
        Assert.Equal((renewed + 1, list), (again.Timestamp, again.Find("tills", "2.0")!.Deltas));
    }

    [Fact]
    public async Task Where_no_delta_is_worth_it_the_list_is_empty()
    {
        await using var repository = await Open();
        await using var maker = Maker(repository);
        await Publish(repository, "1.0", Program);
        await Publish(repository, "2.0", MadeUp(100_000, 2));

        Assert.Empty(await DeltasOf(repository, "2.0"));
    }

    [Fact]
    public async Task A_delta_that_the_disk_lost_is_made_again_and_one_that_a_list_names_stays()
    {
        await using var repository = await Open();
        await using var maker = Maker(repository);
        await Publish(repository, "1.0", Program);
        await Publish(repository, "2.0", Next);
        var delta = Assert.Single(await DeltasOf(repository, "2.0"));

        _clock.Advance(_options.KeepUnlisted * 2);
        repository.Content.Collect();
        Assert.True(repository.Content.Blobs.Contains(delta.Delta));
        File.Delete(Directory.EnumerateFiles(_directory, delta.Delta.Value, SearchOption.AllDirectories).Single());
        Assert.Throws<BlobDamagedException>(() => repository.Content.Blobs.Open(delta.Delta));
        await Publish(repository, "else", "1.0", [1]);

        await Until.True(() => repository.Content.Blobs.Contains(delta.Delta), "the delta is here again");
    }

    [Fact]
    public async Task A_withdrawn_version_takes_its_deltas_with_it()
    {
        await using var repository = await Open();
        await using (Maker(repository))
        {
            await Publish(repository, "1.0", Program);
            await Publish(repository, "2.0", Next);
            await DeltasOf(repository, "2.0");
        }

        Assert.Null(await repository.Withdraw("tills", "2.0", default));

        await Publish(repository, "2.0", Next);
        Assert.Null(repository.Find("tills", "2.0")!.Deltas);
    }

    private Task<TenantRepository> Open() => TenantRepository.Open(Path.Combine(_directory, "updates"), _options, _authority, _clock, NullLoggerFactory.Instance);

    private DeltaMaker Maker(TenantRepository repository) => new(repository, _options, NullLoggerFactory.Instance);

    private async Task<IReadOnlyList<FileDelta>> DeltasOf(TenantRepository repository, string version)
    {
        await Until.True(() => repository.Find("tills", version)!.Deltas is not null, $"version {version} has a list of deltas");
        return repository.Content.DeltasOf(repository.Find("tills", version)!)!.Deltas;
    }

    private Task<PublishedPackage> Publish(TenantRepository repository, string version, byte[] program) => Publish(repository, "tills", version, program);

    private async Task<PublishedPackage> Publish(TenantRepository repository, string name, string version, byte[] program)
    {
        var hash = BlobHash.Over(program);
        Assert.Null(await repository.Content.Take(hash, new MemoryStream(program), 0, program.Length, default));
        _clock.Advance(TimeSpan.FromSeconds(1));
        var publication = await repository.Publish(new PackageManifest(name, version, InstallKind.Archive, [new PackageFile("bin/till", 0b111_101_101, program.Length, hash)]), default);
        return publication.Package!;
    }

    private static byte[] MadeUp(int length, int seed)
    {
        var content = new byte[length];
        new Random(seed).NextBytes(content);
        return content;
    }
}
