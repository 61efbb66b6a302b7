using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Device.Identity;
using Fleet.Device.Settings;
using Google.Protobuf.WellKnownTypes;

namespace Fleet.Device.Tests.Settings;

public sealed class DeviceOptionsTests
{
    [Fact]
    public void The_shipped_settings_are_read()
    {
        Assert.Equal(TimeSpan.FromMinutes(15), DeviceOptions.Default.SyncInterval);
        Assert.Equal(10_000, DeviceOptions.Default.Events.MaxCount);
    }

    [Fact]
    public void An_administrators_file_overrides_key_by_key()
    {
        var problems = new List<string>();

        var options = DeviceOptions.Load("""
            // comment
            fleet.agent.sync { interval = "30s" # why not
              keepalive: 1m,
            }
            """.Replace("{ interval", "{\n interval"), "mine", problems);

        Assert.Empty(problems);
        Assert.Equal((TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(5)), (options.SyncInterval, options.Keepalive, options.FirstRetry));
    }

    [Fact]
    public void Every_mistake_is_told_with_its_line_and_key()
    {
        var problems = new List<string>();

        DeviceOptions.Load("""
            fleet.agent {
              sync.interval = often
              sync.colour = red
              events.max-count = 3
              what is this
              clock { tolerance = [1]
            }
            """, "mine", problems);

        Assert.Contains(problems, p => p.StartsWith("mine, line 2: fleet.agent.sync.interval must be a duration"));
        Assert.Contains(problems, p => p.StartsWith("mine, line 3: fleet.agent.sync.colour is no setting"));
        Assert.Contains(problems, p => p.StartsWith("mine, line 4: fleet.agent.events.max-count must be a whole number"));
        Assert.Contains(problems, p => p.StartsWith("mine, line 5:"));
        Assert.Contains(problems, p => p.StartsWith("mine, line 6:"));
    }

    [Theory]
    [InlineData("0s")]
    [InlineData("-1s")]
    [InlineData("15")]
    [InlineData("1.5h")]
    [InlineData("999999999999999999d")]
    [InlineData("")]
    public void What_is_no_duration_is_refused(string text) => Assert.False(DurationText.TryParse(text, out _));

    [Theory]
    [InlineData("15m")]
    [InlineData("250ms")]
    [InlineData("36h")]
    [InlineData("2d")]
    public void A_duration_reads_back_as_written(string text)
    {
        Assert.True(DurationText.TryParse(text, out var duration));
        Assert.Equal(text, DurationText.Of(duration));
    }

    [Theory, InlineData("on", true), InlineData("true", true), InlineData("off", false)]
    public void A_switch_is_on_or_off(string text, bool on)
    {
        var problems = new List<string>();

        Assert.Equal(on, DeviceOptions.Load($"fleet.agent.updates.require-vendor = {text}", "agent.hocon", problems).Updates.RequireVendor);
        Assert.Empty(problems);
    }

    [Fact]
    public void A_switch_that_is_neither_is_told_with_its_line()
    {
        var problems = new List<string>();

        DeviceOptions.Load("fleet.agent.updates.require-vendor = perhaps", "agent.hocon", problems);

        Assert.Contains("fleet.agent.updates.require-vendor must be on or off, not 'perhaps'", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_policys_setting_comes_before_the_document_and_that_before_the_file()
    {
        var reach = new Reach([], [], GatewayOnly: false);
        var desired = new DesiredDocument { SyncInterval = Duration.FromTimeSpan(TimeSpan.FromMinutes(5)) };
        Assert.Equal(TimeSpan.FromMinutes(5), EffectiveSettings.From(DeviceOptions.Default, reach, desired).SyncInterval);

        desired.Settings["sync.interval"] = "30s";
        desired.Settings["agent.gateway-only"] = "true";
        var effective = EffectiveSettings.From(DeviceOptions.Default, reach, desired);

        Assert.Equal((TimeSpan.FromSeconds(30), true), (effective.SyncInterval, effective.GatewayOnly));
    }

    [Fact]
    public void Gateway_only_from_enrolment_can_not_be_lifted_by_a_policy()
    {
        var desired = new DesiredDocument { Settings = { ["agent.gateway-only"] = "false" } };

        Assert.True(EffectiveSettings.From(DeviceOptions.Default, new Reach(["gw:1"], [], GatewayOnly: true), desired).GatewayOnly);
    }
}
