using System.Globalization;
using System.Text;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Identity;
using Fleet.TestSupport;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Packages;

namespace Fleet.Device.Tests.Updates;

/// <summary>What of a next version goes over the wire to a device that has the one before.</summary>
public sealed class DeltaTests : IDisposable
{
    private static readonly string Older = string.Join('\n', Enumerable.Range(0, 5000).Select(i => (i * 7919 % 10_007).ToString(CultureInfo.InvariantCulture)));
    private static readonly string Newer = Older.Insert(Older.Length / 2, "changed");
    private static readonly byte[] Patch = ZstdDelta.Make(Encoding.UTF8.GetBytes(Older), Encoding.UTF8.GetBytes(Newer));

    private readonly FakeHeadquarters _headquarters = new();
    private readonly PackageRepository _repository = new();
    private readonly UpdatedDevice _device;

    public DeltaTests() => _device = new UpdatedDevice(_headquarters);

    public void Dispose()
    {
        _device.Dispose();
        _repository.Dispose();
        _headquarters.Dispose();
    }

    [Theory]
    [InlineData("bin/till")]
    [InlineData("lib/2/till")]
    public async Task The_delta_comes_in_place_of_the_file_also_where_that_moved(string path)
    {
        await using var point = await Start();
        await Install(point, "1", ("bin/till", Older));
        await _repository.AddDeltas("till", "2", (Older, Newer, Patch));

        await Install(point, "2", (path, Newer));

        Assert.Equal(Newer, Installed(path));
        Assert.Equal((1, 0), (Asked(point, BlobHash.Over(Patch)), Asked(point, BlobHash.Over(Encoding.UTF8.GetBytes(Newer)))));
    }

    [Fact]
    public async Task A_file_that_somebody_changed_is_no_base_and_the_whole_comes()
    {
        await using var point = await Start();
        await Install(point, "1", ("bin/till", Older));
        await _repository.AddDeltas("till", "2", (Older, Newer, Patch));
        File.AppendAllText(Path.Combine(_device.Packages, "till", "current", "bin", "till"), "edited");

        await Install(point, "2", ("bin/till", Newer));

        Assert.Equal(Newer, Installed("bin/till"));
        Assert.Equal((0, 1), (Asked(point, BlobHash.Over(Patch)), Asked(point, BlobHash.Over(Encoding.UTF8.GetBytes(Newer)))));
    }

    [Fact]
    public async Task Attack_17_a_poisoned_delta_is_found_out_and_the_whole_comes()
    {
        await using var point = await Start();
        await Install(point, "1", ("bin/till", Older));
        var poisoned = ZstdDelta.Make(Encoding.UTF8.GetBytes(Older), Encoding.UTF8.GetBytes(Newer.Replace("changed", "CHANGED", StringComparison.Ordinal)));
        await _repository.AddDeltas("till", "2", (Older, Newer, poisoned));

        await Install(point, "2", ("bin/till", Newer));

        Assert.Equal(Newer, Installed("bin/till"));
        Assert.Equal((1, 1), (Asked(point, BlobHash.Over(poisoned)), Asked(point, BlobHash.Over(Encoding.UTF8.GetBytes(Newer)))));
    }

    [Fact]
    public async Task A_list_that_no_source_has_costs_no_more_than_the_whole()
    {
        await using var point = await Start();
        await Install(point, "1", ("bin/till", Older));
        await _repository.AddDeltas("till", "2", (Older, Newer, Patch));
        point.Instead = path => path.EndsWith(".deltas.json", StringComparison.Ordinal) ? "<html>"u8.ToArray() : null;

        await Install(point, "2", ("bin/till", Newer));

        Assert.Equal(Newer, Installed("bin/till"));
    }

    [Fact]
    public async Task Where_deltas_are_switched_off_the_whole_comes()
    {
        await using var point = await Start();
        _device.Options = _device.Options with { Updates = _device.Options.Updates with { DeltaMaxFile = 0 } };
        await Install(point, "1", ("bin/till", Older));
        await _repository.AddDeltas("till", "2", (Older, Newer, Patch));

        await Install(point, "2", ("bin/till", Newer));

        Assert.Equal(0, Asked(point, BlobHash.Over(Patch)));
    }

    private Task<RepositoryServer> Start() => RepositoryServer.Start(_repository.Folder, _headquarters.Authority, PeerIdentity.Of(new NodeId("gw1.leeds")));

    private async Task Install(RepositoryServer point, string version, params (string Path, string Content)[] files)
    {
        var wanted = await _repository.Add("till", version, InstallKind.Archive, files);
        _device.Want(_repository, [("gw1.leeds", point.Address)], wanted);
        await _device.RunUntil("till", s => s is { Step: PackageStep.Installed } && s.InstalledVersion == version);
    }

    private string Installed(string path) => File.ReadAllText(Path.Combine(_device.Packages, "till", "current", path));

    private static int Asked(RepositoryServer point, BlobHash hash) => point.Asked.Count(p => p == $"blobs/{hash}");
}
