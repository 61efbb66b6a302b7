using Fleet.Contracts;
using Fleet.Headquarters.Links;
using Fleet.Messages.Link;

namespace Fleet.Headquarters.Tests.Links;

/// <summary>The rules of the door and the link that need no actor.</summary>
public sealed class LinkRulesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DeviceId Till = new("till-1");
    private static readonly OfficeId Leeds = new("leeds");

    [Fact]
    public void A_burst_is_let_in_at_once_and_then_so_many_a_second()
    {
        var rate = new HelloRate(perSecond: 10, burst: 10);

        Assert.Equal(10, Enumerable.Range(0, 100).Count(_ => rate.Wait(Noon, 0.5) is null));
        Assert.Equal(10, Enumerable.Range(1, 100).Count(i => rate.Wait(Noon.AddMilliseconds(10 * i), 0.5) is null));
    }

    [Fact]
    public void Those_who_have_to_wait_are_spread_over_the_time_that_their_number_takes()
    {
        var rate = new HelloRate(perSecond: 10, burst: 10);
        var chance = new Random(7);

        var waits = Enumerable.Range(0, 1010).Select(_ => rate.Wait(Noon, chance.NextDouble())).OfType<TimeSpan>().ToList();

        Assert.Equal(1000, waits.Count);
        Assert.All(waits, w => Assert.True(w >= TimeSpan.FromSeconds(1)));
        // A thousand at ten a second take a hundred seconds: no second gets more than a few times its share.
        Assert.InRange(waits.Max(), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(220));
        Assert.InRange(waits.GroupBy(w => (int)w.TotalSeconds).Where(g => g.Key > 10).Max(g => g.Count()), 1, 40);
    }

    [Fact]
    public void A_quiet_time_voids_the_queue()
    {
        var rate = new HelloRate(perSecond: 10, burst: 10);
        for (var i = 0; i < 1000; i++)
            rate.Wait(Noon, 1);

        Assert.Null(rate.Wait(Noon.AddMinutes(1), 1));
    }

    public static TheoryData<string, UpFrame> Sound => new()
    {
        { "nothing", new UpFrame("e", 1, []) },
        { "envelope", new UpFrame("e", 1, [new DeviceEnvelopeUp(Till, new byte[48 * 1024], Leeds)]) },
        { "presence", new UpFrame("e", 1, [new PresenceDigest([new DeviceSeen(Till, Noon)])]) },
        { "wanted", new UpFrame("e", 1, [new DesiredWanted(Till, 0, Leeds)]) },
    };

    public static TheoryData<string, UpFrame> Unsound => new()
    {
        { "no items", new UpFrame("e", 1, null!) },
        { "no device", new UpFrame("e", 1, [new DeviceEnvelopeUp(default, new byte[1], Leeds)]) },
        { "no office", new UpFrame("e", 1, [new DesiredWanted(Till, 0, default)]) },
        { "empty envelope", new UpFrame("e", 1, [new DeviceEnvelopeUp(Till, default, Leeds)]) },
        { "nobody seen", new UpFrame("e", 1, [new PresenceDigest([null!])]) },
        { "no roles", new UpFrame("e", 1, [new NodeReport(0, null!, [], "", "", Noon, [], [])]) },
        { "long text", new UpFrame("e", 1, [new NodeEvent(1, Noon, "x", new string('x', 1001))]) },
        { "no request id", new UpFrame("e", 1, [new EnrolmentUp(null!, new byte[1])]) },
    };

    [Theory]
    [MemberData(nameof(Sound))]
    public void What_is_sound_passes(string what, UpFrame frame) => Assert.True(LinkChecks.Problem(frame) is null, what);

    [Theory]
    [MemberData(nameof(Unsound))]
    public void What_lacks_a_part_or_is_too_long_is_named(string what, UpFrame frame) => Assert.True(LinkChecks.Problem(frame) is not null, what);
}
