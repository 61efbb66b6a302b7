using Fleet.Contracts.Agents;
using Fleet.Device.Installs;
using Fleet.Updates.Packages;

namespace Fleet.Device.Tests.Updates;

/// <summary>The agent updates itself; each call of RunUntil is a start of what a service would start.</summary>
public sealed class AgentUpdateTests : IAsyncLifetime
{
    private const string Outside = "/usr/local/bin/agent";

    private DeviceAtPoint _at = null!;

    public async Task InitializeAsync() => _at = await DeviceAtPoint.Start();

    public async Task DisposeAsync() => await _at.DisposeAsync();

    [Fact]
    public async Task The_agent_makes_room_for_its_new_version_which_is_installed_once_it_has_synced()
    {
        await Want("1.1", "agent");
        Start(Outside);
        await Assert.ThrowsAsync<RestartException>(() => _at.Device.RunUntil(AgentSlot.Package, PackageStep.Installed));
        var started = Start(Outside);

        Start(started!);
        var status = await _at.Device.RunUntil(AgentSlot.Package, PackageStep.Installed);

        Assert.Equal(ProgramOf("1.1"), started);
        Assert.Equal("1.1", status.InstalledVersion);
        Assert.Equal(started, Start(Outside));
    }

    [Fact]
    public async Task A_new_version_that_can_not_sync_goes_back_by_itself_and_the_old_one_says_so()
    {
        await Want("1.1", "agent");
        Start(Outside);
        await Assert.ThrowsAsync<RestartException>(() => _at.Device.RunUntil(AgentSlot.Package, PackageStep.Installed));
        var (sync, options) = (_at.Device.Sync, _at.Device.Options);
        _at.Device.Sync = _ => throw new Device.Sync.CarrierException("it forgot how");
        _at.Device.Options = options with { Updates = options.Updates with { Probation = TimeSpan.FromMilliseconds(300) } };
        Start(Start(Outside)!);
        var gaveUp = await Assert.ThrowsAsync<RestartException>(() => _at.Device.RunUntil(AgentSlot.Package, PackageStep.Installed));

        (_at.Device.Sync, _at.Device.Options) = (sync, options);
        var started = Start(Outside);
        var status = await _at.Device.RunUntil(AgentSlot.Package, PackageStep.RolledBack);

        Assert.Contains("did not sync within 300ms", gaveUp.Message);
        Assert.Null(started);
        Assert.Equal(("", "it did not sync within 300ms; the agent before is back"), (status.InstalledVersion, status.Detail));
    }

    [Theory]
    [InlineData("other", true, "it holds no 'agent'")]
    [InlineData("agent", false, "the agent here is a part of another program, and is updated with it")]
    public async Task What_can_not_be_an_agent_changes_nothing(string file, bool isProgram, string why)
    {
        await Want("1.1", file);
        if (isProgram)
            Start(Outside);

        Assert.Equal(why, (await _at.Device.RunUntil(AgentSlot.Package, PackageStep.Failed)).Detail);
    }

    private async Task Want(string version, string file) =>
        _at.Want(await _at.Repository.Add(AgentSlot.Package, version, InstallKind.Archive, (file, $"program {version}")));

    /// <returns>What it becomes at once; null: it stays what it is.</returns>
    private string? Start(string program)
    {
        _at.Device.Own = new AgentSlot(_at.Device.Packages, program, outside: null);
        return program == Outside ? _at.Device.Own.Begin() : null;
    }

    private string ProgramOf(string version) => Path.Combine(_at.Device.Packages, AgentSlot.Package, "versions", version, "agent");
}
