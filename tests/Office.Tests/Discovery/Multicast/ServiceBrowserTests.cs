using System.Net;
using Fleet.Office.Discovery.Multicast;
using Fleet.Office.Discovery.Names;
using Fleet.Office.Tests.Discovery.Names;

namespace Fleet.Office.Tests.Discovery.Multicast;

public sealed class ServiceBrowserTests
{
    private static readonly IPAddress Printer = IPAddress.Parse("192.168.1.9");
    private readonly ServiceBrowser _browser = new(asks: 2);

    [Fact]
    public void From_an_answer_comes_the_machine_with_addresses_and_service()
    {
        _browser.Take(Printer, DnsMessage.Read(DnsPackets.Printer())!);

        var machine = Assert.Single(_browser.Machines());
        Assert.Equal("printer.local", machine.Name);
        Assert.Equal(["192.168.1.9", "fe80::9"], machine.Addresses.Select(a => a.ToString()));
        Assert.Equal((631, "tcp", "_ipp._tcp"), machine.Services.Select(s => (s.Port, s.Protocol, s.Name)).Single());
    }

    [Fact]
    public void A_kind_that_was_told_is_asked_for_and_then_where_its_instances_are()
    {
        _browser.NextQueries();
        _browser.Take(Printer, DnsMessage.Read(DnsPackets.Answer((DnsName.Of("_services", "_dns-sd", "_udp", "local"), DnsName.Of("_scanner", "_tcp", "local"))))!);
        Assert.Contains("_scanner", Asked(), StringComparison.Ordinal);

        _browser.Take(Printer, DnsMessage.Read(DnsPackets.Answer((DnsName.Of("_scanner", "_tcp", "local"), DnsName.Of("Flatbed", "_scanner", "_tcp", "local"))))!);

        Assert.Contains("Flatbed", Asked(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_answered_is_asked_twice_and_then_no_more()
    {
        Assert.NotEmpty(_browser.NextQueries());
        Assert.NotEmpty(_browser.NextQueries());
        Assert.Empty(_browser.NextQueries());
    }

    [Fact]
    public void A_workstation_names_its_card()
    {
        var workstation = DnsName.Of("till [52:54:00:12:34:56]", "_workstation", "_tcp", "local");
        _browser.Take(Printer, new DnsMessage(0, IsResponse: true,
        [
            new DnsRecord(workstation, DnsType.Srv, DnsName.Of("till", "local"), 9),
            new DnsRecord(DnsName.Of("till", "local"), DnsType.A, Address: Printer),
        ]));

        var machine = Assert.Single(_browser.Machines());
        Assert.Equal("52:54:00:12:34:56", machine.Mac.ToString());
        Assert.Empty(machine.Services);
    }

    [Fact]
    public void Questions_of_others_and_names_outside_local_are_passed_over()
    {
        _browser.Take(Printer, new DnsMessage(0, IsResponse: false, [new DnsRecord(DnsName.Of("a", "local"), DnsType.A, Address: Printer)]));
        _browser.Take(Printer, new DnsMessage(0, IsResponse: true, [new DnsRecord(DnsName.Of("www", "example", "com"), DnsType.A, Address: Printer)]));

        Assert.Empty(_browser.Machines());
    }

    [Fact]
    public void A_flooder_fills_the_caps_and_no_more()
    {
        for (var i = 0; i < 20_000; i++)
        {
            var service = DnsName.Of($"i{i}", "_http", "_tcp", "local");
            _browser.Take(Printer, new DnsMessage(0, IsResponse: true,
            [
                new DnsRecord(DnsName.Of("_services", "_dns-sd", "_udp", "local"), DnsType.Ptr, DnsName.Of($"_k{i}", "_tcp", "local")),
                new DnsRecord(service, DnsType.Srv, DnsName.Of($"h{i}", "local"), 80),
                new DnsRecord(DnsName.Of("h0", "local"), DnsType.A, Address: new IPAddress(i + 1L)),
            ]));
        }

        var machines = _browser.Machines();
        Assert.Equal(2048, machines.Count);
        Assert.Equal(16, machines.Single(m => m.Name == "h0.local").Addresses.Count);
        // Kinds, instances and machines, some to a packet.
        Assert.InRange(_browser.NextQueries().Count, 1, (128 + 13 + 4096 + (2 * 2048)) / 12);
    }

    private string Asked() => string.Concat(_browser.NextQueries().Select(q => System.Text.Encoding.Latin1.GetString(q)));
}
