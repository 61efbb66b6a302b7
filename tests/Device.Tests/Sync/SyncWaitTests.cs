using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Device.Identity;
using Fleet.Device.Sync;

namespace Fleet.Device.Tests.Sync;

public sealed class SyncWaitTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(15);
    private readonly Backoff _backoff = new(TimeSpan.FromSeconds(5));

    [Fact]
    public void Waits_after_failures_double_their_bound_up_to_the_interval_and_use_all_of_it()
    {
        var random = new Random(7);
        for (var failures = 1; failures <= 40; failures++)
        {
            var bound = Math.Min(5 * Math.Pow(2, failures - 1), Interval.TotalSeconds);
            var waits = Enumerable.Range(0, 500).Select(_ => _backoff.AfterFailures(failures, Interval, TimeSpan.Zero, random).TotalSeconds).ToList();
            Assert.All(waits, w => Assert.InRange(w, 0, bound));
            Assert.True(waits.Min() < bound * 0.05 && waits.Max() > bound * 0.95, $"waits after {failures} failures are not spread over their whole length");
        }
    }

    [Fact]
    public void The_first_wait_after_a_loss_is_spread_over_half_of_the_window_that_the_carrier_named_and_never_over_more_than_the_interval()
    {
        var random = new Random(7);
        List<double> Waits(TimeSpan window) => [.. Enumerable.Range(0, 1000).Select(_ => new SyncWait(_backoff, random).After(RoundEnd.Failed, null, Interval, window).TotalSeconds)];

        var (few, many, hostile) = (Waits(TimeSpan.Zero), Waits(TimeSpan.FromMinutes(8)), Waits(TimeSpan.FromDays(9)));

        Assert.InRange(few.Max(), 4.5, 5);
        Assert.InRange(many.Max(), 230, 240);
        Assert.InRange(many.Count(w => w < 24), 60, 140);
        Assert.InRange(hostile.Max(), 0, Interval.TotalSeconds);
    }

    [Fact]
    public void A_wait_that_the_server_names_is_taken_as_it_is()
    {
        var wait = new SyncWait(_backoff, new Random(1));

        Assert.Equal(TimeSpan.FromSeconds(77), wait.After(RoundEnd.Done, TimeSpan.FromSeconds(77), Interval, TimeSpan.Zero));
        Assert.Equal(TimeSpan.FromHours(2), wait.After(RoundEnd.Failed, TimeSpan.FromHours(2), Interval, TimeSpan.Zero));
    }

    [Fact]
    public void Gateways_come_before_headquarters_and_a_gateway_only_device_never_dials_it()
    {
        var reach = new Reach(["10.0.0.1:13000"], ["hq:13000"], GatewayOnly: false);
        var desired = new DesiredDocument
        {
            Gateways = { new GatewayAddress { NodeId = "gw2.leeds", Addresses = { "10.0.0.2:13000", "10.0.0.1:13000" } } },
            HeadquartersAddresses = { "hq2:13000" },
        };

        Assert.Equal(["10.0.0.2:13000", "10.0.0.1:13000", "hq2:13000", "hq:13000"], RoutePlan.Addresses(reach, desired, gatewayOnly: false));
        Assert.Equal(["10.0.0.2:13000", "10.0.0.1:13000"], RoutePlan.Addresses(reach, desired, gatewayOnly: true));
    }
}
