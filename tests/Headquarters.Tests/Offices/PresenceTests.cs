using Fleet.Contracts;
using Fleet.Headquarters.Monitoring;
using Fleet.Headquarters.Offices;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using static Fleet.Headquarters.Tests.Offices.Situation;

namespace Fleet.Headquarters.Tests.Offices;

public sealed class PresenceTests
{
    private readonly PresenceCounts _counts = new();
    private readonly Presence _presence;

    public PresenceTests() => _presence = new Presence(Noon, _counts);

    [Theory]
    [InlineData("gw1.leeds")]
    [InlineData(null)]
    public void The_end_of_the_line_after_the_goodbye_of_its_agent_says_nothing(string? server)
    {
        NodeId? at = server is null ? null : new NodeId(server);
        _presence.Line(Line(LineEnd.None), at, Noon);

        _presence.Line(Line(LineEnd.Shutdown), at, Noon);
        _presence.Line(Line(LineEnd.Lost), at, Noon);

        Assert.Equal("its agent was shut down", Shown().Why);
    }

    [Fact]
    public void What_is_judged_is_counted_and_a_twin_that_stops_takes_its_devices_along()
    {
        Shown();
        Assert.Equal(1, _counts.Devices.Single(d => d.State == PresenceState.Unknown).Devices);

        _presence.Seen(Till, Noon, Noon, through: null);
        var state = Shown().State;
        Assert.Equal((PresenceState.Online, 1), _counts.Devices.Single(d => d.Devices > 0));
        Assert.Equal(PresenceState.Online, state);

        _presence.ForgetAll();
        Assert.All(_counts.Devices, d => Assert.Equal(0, d.Devices));
    }

    private DevicePresence Shown() => Assert.Single(_presence.Review(Open(Leeds).WithGateway().WithTill(), TestOffices.Options, Noon));

    private static DeviceLine Line(LineEnd end) => new(Till, end, Noon, Leeds, TimeSpan.Zero);
}
