using Fleet.Headquarters.Links;
using Fleet.Messages.Admission;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Headquarters.Tests.Links;

public sealed class DoorLoadTests
{
    // A node waits up to half of what it is told.
    [Theory]
    [InlineData(10, 5.7)]
    [InlineData(1_000, 36)]
    [InlineData(10_000, 200)]
    public void A_thousand_nodes_are_asked_back_within_twenty_seconds_and_more_only_as_fast_as_they_are_let_in(int linked, double seconds)
    {
        var load = new DoorLoad(hellosPerSecond: 200, new LoadMeter(new FakeTimeProvider(), () => TimeSpan.Zero));
        for (var i = 0; i < linked; i++)
        {
            load.Opens();
            load.Opened(welcome: true);
        }

        Assert.Equal(seconds, load.ReturnWithin.TotalSeconds, tolerance: 0.1);
    }
}
