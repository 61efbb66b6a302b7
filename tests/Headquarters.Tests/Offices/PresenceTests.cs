using Fleet.Contracts;
using Fleet.Headquarters.Offices;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using static Fleet.Headquarters.Tests.Offices.Situation;

namespace Fleet.Headquarters.Tests.Offices;

public sealed class PresenceTests
{
    private readonly Presence _presence = new(Noon);

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

    private DevicePresence Shown() => Assert.Single(_presence.Review(Open(Leeds).WithGateway().WithTill(), TestOffices.Options, Noon));

    private static DeviceLine Line(LineEnd end) => new(Till, end, Noon, Leeds, TimeSpan.Zero);
}
