using Fleet.Contracts.Agents;
using Fleet.Device.Identity;
using Fleet.Device.Updates;
using Fleet.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Device.Tests.Updates;

public sealed class SourceOrderTests
{
    private static readonly TimeSpan ReturnAfter = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan HeadquartersAfter = TimeSpan.FromMinutes(2);
    private static readonly UpdateAddress One = new("gw1.leeds", new Uri("https://10.0.0.1:13445"));
    private static readonly UpdateAddress Two = new("gw2.leeds", new Uri("https://10.0.0.2:13445"));
    private static readonly UpdateAddress Headquarters = new(null, new Uri("https://hq.example:13443"));
    private static readonly UpdateAddress[] Plan = [One, Two, Headquarters];

    private readonly FakeTimeProvider _clock = new();
    private readonly SourceOrder _order;

    public SourceOrderTests() => _order = new SourceOrder(ReturnAfter, HeadquartersAfter, _clock, new Random(1));

    [Fact]
    public void One_that_failed_comes_behind_headquarters_and_one_that_lied_behind_all()
    {
        _order.Lied(One.Name);
        _order.Failed(Two.Name);

        Assert.Equal([Headquarters, Two, One], _order.Order(Plan));
    }

    [Fact]
    public void Headquarters_is_asked_for_content_only_once_the_distribution_points_have_brought_nothing_for_a_while()
    {
        var first = _order.OrderForContent(Plan);
        _order.Failed(One.Name);
        _order.BroughtNothing();
        _clock.Advance(HeadquartersAfter - TimeSpan.FromSeconds(1));
        _order.BroughtNothing();
        var soon = _order.OrderForContent(Plan);
        _clock.Advance(TimeSpan.FromSeconds(1));
        var later = _order.OrderForContent(Plan);
        _order.Measure(Headquarters.Name, 1000, TimeSpan.FromSeconds(1));
        var still = _order.OrderForContent(Plan);
        _order.Measure(Two.Name, 1000, TimeSpan.FromSeconds(1));

        Assert.Equal([One, Two], first);
        Assert.Equal([Two, One], soon);
        Assert.Equal([Two, Headquarters, One], later);
        Assert.Contains(Headquarters, still);
        Assert.Equal([Two, One], _order.OrderForContent(Plan));
    }

    [Fact]
    public void Headquarters_is_asked_for_content_at_once_where_there_is_no_distribution_point_or_all_have_lied()
    {
        var alone = _order.OrderForContent([Headquarters]);
        _order.OrderForContent(Plan);
        _order.Lied(One.Name);
        _order.Lied(Two.Name);

        Assert.Equal([Headquarters], alone);
        Assert.Equal(Headquarters, _order.OrderForContent(Plan)[0]);
    }

    [Fact]
    public void After_a_while_a_failure_is_forgotten()
    {
        _order.Failed(One.Name);
        var avoided = _order.Order(Plan);
        _clock.Advance(2 * ReturnAfter);

        Assert.Equal([Two, Headquarters, One], avoided);
        Assert.Equal(Plan, _order.Order(Plan));
    }

    [Fact]
    public void A_distribution_point_far_slower_than_the_best_comes_behind_it_and_before_headquarters()
    {
        _order.Measure(One.Name, 1 << 20, TimeSpan.FromSeconds(10));
        _order.Measure(Two.Name, 1 << 20, TimeSpan.FromSeconds(1));
        var measured = _order.Order(Plan);
        _clock.Advance(ReturnAfter + TimeSpan.FromSeconds(1));

        Assert.Equal([Two, One, Headquarters], measured);
        Assert.Equal(Plan, _order.Order(Plan));
    }

    [Fact]
    public void Small_differences_and_small_files_change_nothing()
    {
        _order.Measure(One.Name, 1 << 20, TimeSpan.FromSeconds(2));
        _order.Measure(Two.Name, 1 << 20, TimeSpan.FromSeconds(1));
        _order.Measure(One.Name, 1000, TimeSpan.FromSeconds(10));

        Assert.Equal(Plan, _order.Order(Plan));
    }

    [Fact]
    public void Distribution_points_come_in_an_order_of_the_devices_own_then_headquarters_unless_it_may_not_be_asked()
    {
        using var headquarters = new FakeHeadquarters();
        var identity = IdentityFiles.Load(TestDevice.EnrolledAt(headquarters).Storage)!;
        var desired = new DesiredDocument
        {
            DistributionPoints =
            {
                new GatewayAddress { NodeId = "gw1.leeds", Addresses = { "10.0.0.1:13445", "http://10.1.0.1:8080" } },
                new GatewayAddress { NodeId = "gw2.leeds", Addresses = { "10.0.0.2:13445", "ftp://10.0.0.2", "https://10.0.0.2:1/else/where" } },
            },
            HeadquartersUpdateAddresses = { "hq.example:13443" },
        };

        var plan = UpdateAddress.Plan(identity, desired, gatewayOnly: false).Select(a => a.Base.AbsoluteUri).ToList();

        Assert.Equal(["http://10.1.0.1:8080/", "https://10.0.0.1:13445/", "https://10.0.0.2:13445/"], plan[..3].Order());
        Assert.Equal("https://hq.example:13443/", plan[3]);
        Assert.Equal(plan[..3], UpdateAddress.Plan(identity, desired, gatewayOnly: true).Select(a => a.Base.AbsoluteUri));
    }
}
