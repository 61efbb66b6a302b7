using System.Net;
using Fleet.Messages.Link;
using Fleet.Office.Discovery;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Office.Tests.Discovery;

public sealed class SightingTests
{
    private static readonly MacAddress Card = MacAddress.Parse("52:54:00:12:34:56")!.Value;
    private readonly List<Sighting> _seen = [];
    private readonly PollRun _run;

    public SightingTests() => _run = new PollRun(new PollOrder(PollMethod.IpRange, Full: true, [], []), new Pace(1000, 0, TimeProvider.System), new FakeTimeProvider(), _seen.Add);

    [Fact]
    public void A_later_sighting_of_a_device_holds_what_the_earlier_did()
    {
        _run.See(Card, [IPAddress.Parse("192.168.1.7")], [new SeenName(NameSource.NetBios, "TILL-3")], [new SeenService(22, "tcp", "ssh")]);
        _run.See(Card, [IPAddress.Parse("fe80::1%3")], [], []);

        Assert.Equal(1, _run.Found);
        Assert.Equal(["192.168.1.7", "fe80::1"], _seen[^1].Addresses);
        Assert.Equal(("52:54:00:12:34:56", "TILL-3", 22), (_seen[^1].Mac, _seen[^1].Names[0].Name, _seen[^1].Services[0].Port));
    }

    [Fact]
    public void What_strangers_say_is_cleaned_and_capped()
    {
        _run.See(null, Enumerable.Range(1, 100).Select(i => new IPAddress([10, 0, 0, (byte)i])),
            [new SeenName(NameSource.MulticastDns, "\u001b[2Jprinter\r\n\u202e"), new SeenName(NameSource.NetBios, " \u0007 "), new SeenName(NameSource.ReverseDns, new string('x', 10_000))],
            Enumerable.Range(1, 100).Select(i => new SeenService(i, "tcp", new string('y', 1000))));

        var seen = Assert.Single(_seen);
        Assert.Equal((Sighting.MostAddresses, 2, Sighting.MostServices), (seen.Addresses.Count, seen.Names.Count, seen.Services.Count));
        Assert.Equal(["[2Jprinter", new string('x', Sighting.MostText)], seen.Names.Select(n => n.Name));
        Assert.All(seen.Services, s => Assert.Equal(Sighting.MostText, s.Name.Length));
    }

    [Fact]
    public void A_flooder_makes_a_run_remember_so_many_devices_and_no_more()
    {
        for (var i = 0; i < 12_000; i++)
            _run.See(new MacAddress(0x0200_0000_0000 + (ulong)i), [], [], []);

        Assert.Equal((10_000, 10_000), (_run.Found, _seen.Count));
        Assert.Contains("more than 10000 devices", Assert.Single(_run.Blind), StringComparison.Ordinal);
    }

    [Fact]
    public void What_nothing_names_is_not_told()
    {
        _run.See(default(MacAddress), [], [new SeenName(NameSource.MulticastDns, "printer")], []);

        Assert.Empty(_seen);
    }
}
