using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Headquarters;
using Fleet.TestSupport;

namespace Fleet.Cli.Tests.Rollouts;

/// <summary>Rollouts by the commands, against a whole headquarters and devices that report to it.</summary>
public sealed class RolloutCommandTests : IAsyncLifetime
{
    private readonly TestTerminal _terminal = new();
    private HeadquartersNode _node = null!;

    public async Task InitializeAsync()
    {
        _node = await WholeHeadquarters.Start(_terminal);
        (await _terminal.Run("office", "add", "leeds")).Done();
        await File.WriteAllTextAsync(Path.Combine(_terminal.Home, "till.sh"), "echo till");
        (await _terminal.Run("update", "publish", "tills", "--version", "2.0", "--file", Path.Combine(_terminal.Home, "till.sh"), "--install", "script")).Done();
    }

    public async Task DisposeAsync()
    {
        await _node.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        _terminal.Dispose();
    }

    [Fact]
    public async Task A_rollout_halts_itself_when_its_canary_fails_and_says_why()
    {
        using var canary = await Device("till-1");
        using var desk = await Device("desk-1");
        (await _terminal.Run("device", "label", "till-1", "ring=canary")).Done();

        var made = (await _terminal.Run("rollout", "create", "tills", "--version", "2.0", "--ring", "canary:label:ring=canary", "--ring", "half:50%", "--ring", "rest", "--soak", "0", "--roll-back")).Done();
        await canary.Report(new PackageStatus { Name = "tills", WantedVersion = "2.0", Rollout = "tills-2-0", Step = PackageStep.RolledBack, Detail = "bin/check: exit code 3" });
        await Until.True(async () => (await Shown()).GetProperty("state").GetString() == "halted", "the rollout halts");

        var shown = (await _terminal.Run("rollout", "show", "tills-2-0")).Done().Out;
        Assert.Contains("halfrest", string.Concat((await Shown()).GetProperty("rings").EnumerateArray().Where(r => !r.GetProperty("reached").GetBoolean()).Select(r => r.GetProperty("name").GetString())), StringComparison.Ordinal);
        Assert.Contains("canary", made.Out, StringComparison.Ordinal);
        Assert.Contains("1 of 1 devices of ring canary failed", shown, StringComparison.Ordinal);
        Assert.Contains("rolled-back", shown, StringComparison.Ordinal);
        Assert.Contains("bin/check: exit code 3", (await _terminal.Run("rollout", "why", "till-1", "tills-2-0")).Done().Out, StringComparison.Ordinal);
        Assert.Contains("rolled-back", (await _terminal.Run("device", "show", "till-1")).Done().Out, StringComparison.Ordinal);
        Assert.Contains("no rollout is for desk-1", (await _terminal.Run("rollout", "why", "desk-1")).Done().Error, StringComparison.Ordinal);
        Assert.Contains("rollout tills-2-0", (await _terminal.Run("status")).Done().Out, StringComparison.Ordinal);
        Assert.Equal("bin/check: exit code 3", (await Shown()).GetProperty("failures")[0].GetProperty("detail").GetString());
        Assert.Contains("is halted; create another", (await _terminal.Run("rollout", "resume", "tills-2-0")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rollout_is_done_when_its_devices_have_the_version()
    {
        using var till = await Device("till-1");

        (await _terminal.Run("rollout", "create", "tills", "--version", "2.0", "--ring", "all")).Done();
        await Until.True(async () => (await Shown()).GetProperty("rings")[0].GetProperty("picked").GetInt32() == 1, "the office has counted");
        var waits = (await _terminal.Run("rollout", "devices", "tills-2-0", "--json")).Json();
        await till.Report(new PackageStatus { Name = "tills", WantedVersion = "2.0", InstalledVersion = "2.0", Rollout = "tills-2-0", Step = PackageStep.Installed });
        await Until.True(async () => (await Shown()).GetProperty("state").GetString() == "done", "the rollout is done");

        Assert.Equal(("till-1", "under-way"), (waits[0].GetProperty("name").GetString(), waits[0].GetProperty("state").GetString()));
        Assert.Contains("no device waits", (await _terminal.Run("rollout", "devices", "tills-2-0")).Done().Error, StringComparison.Ordinal);
        Assert.Equal(1, (await _terminal.Run("rollout", "devices", "tills-2-0", "--all", "--json")).Json().GetArrayLength());
        Assert.False((await _terminal.Run("rollout", "why", "till-1", "--json")).Json()[0].TryGetProperty("waitsAt", out _));
        Assert.Equal("till-1", (await _terminal.Run("device", "list", "--package", "tills=2.0", "--json")).Json()[0].GetProperty("name").GetString());
        Assert.Equal(0, (await _terminal.Run("device", "list", "--package", "tills=2", "--json")).Json().GetArrayLength());
        Assert.Contains("1 of 1", (await _terminal.Run("rollout", "list")).Done().Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rollout_is_paused_resumed_and_halted_and_its_version_withdrawn()
    {
        (await _terminal.Run("rollout", "create", "tills", "--version", "2.0")).Done();

        var paused = (await _terminal.Run("rollout", "pause", "tills-2-0", "--json")).Json();
        var resumed = (await _terminal.Run("rollout", "resume", "tills-2-0", "--json")).Json();
        (await _terminal.Run("update", "withdraw", "tills", "2.0")).Done();
        await Until.True(async () => (await Shown()).GetProperty("state").GetString() == "halted", "the rollout is halted");

        Assert.Equal(("paused", "running"), (paused.GetProperty("state").GetString(), resumed.GetProperty("state").GetString()));
        Assert.Equal(["canary", "tenth", "rest"], resumed.GetProperty("rings").EnumerateArray().Select(r => r.GetProperty("name").GetString()));
        Assert.Equal("administrator withdrew tills 2.0", (await Shown()).GetProperty("why").GetString());
        Assert.Contains("tills 2.0 is not published", (await _terminal.Run("rollout", "create", "tills", "--version", "2.0")).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ring 'ten:0%': '0%' is not a percentage", "--ring", "ten:0%")]
    [InlineData("ring 'canary:leeds': 'leeds' picks no devices", "--ring", "canary:leeds")]
    [InlineData("--soak is a time such as 15m", "--soak", "soon")]
    [InlineData("--fail is a number or a percentage", "--fail", "few")]
    [InlineData("--success is a percentage", "--success", "7")]
    [InlineData("'x' is not KEY=VALUE", "--param", "x")]
    public async Task What_is_written_wrongly_is_said_before_anything_is_asked(string problem, params string[] options)
    {
        var ran = await _terminal.Run(["rollout", "create", "tills", "--version", "2.0", .. options]);

        Assert.Equal(ExitCode.Usage, ran.Code);
        Assert.Contains(problem, ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mistyped_rollout_or_version_is_answered_with_what_there_is()
    {
        (await _terminal.Run("rollout", "create", "tills", "--version", "2.0")).Done();

        Assert.Contains("did you mean tills-2-0?", (await _terminal.Run("rollout", "show", "tils-2-0")).Error, StringComparison.Ordinal);
        Assert.Contains("tills 2.1 is not published; there is 2.0", (await _terminal.Run("rollout", "create", "tills", "--version", "2.1")).Error, StringComparison.Ordinal);
        Assert.Contains("fleet node assign", (await _terminal.Run("update", "counters")).Done().Error, StringComparison.Ordinal);
    }

    private async Task<System.Text.Json.JsonElement> Shown() => (await _terminal.Run("rollout", "show", "tills-2-0", "--json")).Json();

    private async Task<ReportingDevice> Device(string name)
    {
        Assert.True(JoinToken.TryParse((await _terminal.Run("token", "create", "--office", "leeds", "--kind", "agent")).Done().Out, out var token, out var problem), problem);
        var device = await ReportingDevice.Enrol(_node.Agents.ToString(), token!, name);
        await device.Report();
        await Until.True(async () => (await _terminal.Run("device", "show", name)).Code == ExitCode.Done, $"{name} shows");
        return device;
    }
}
