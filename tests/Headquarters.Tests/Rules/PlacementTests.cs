using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Headquarters.Offices;
using Fleet.Headquarters.Rules;
using Fleet.Headquarters.Tests.Offices;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Google.Protobuf;
using static Fleet.Headquarters.Tests.Discovery.NetworkSituation;
using static Fleet.Headquarters.Tests.Offices.Situation;

namespace Fleet.Headquarters.Tests.Rules;

public sealed class PlacementTests
{
    private static readonly RuleConditions Tills = Where() with { Names = ["till-*"] };

    [Fact]
    public void A_device_that_meets_all_conditions_gets_the_labels_with_its_report()
    {
        var office = Ruled(Rule("tills", Tills with { Addresses = ["192.168.1.0/24"], Systems = ["debian*"], Vendors = ["Brother*"], HasAgent = true }, RuleMode.Once, "room=shop")).Reported();

        Assert.Equal("shop", office.Devices[Till].Known.Labels["room"]);
    }

    [Theory]
    [InlineData("address")]
    [InlineData("name")]
    [InlineData("system")]
    [InlineData("office")]
    [InlineData("label")]
    [InlineData("vendor")]
    [InlineData("agent")]
    public void One_condition_that_is_not_met_is_enough(string which)
    {
        var conditions = which switch
        {
            "address" => Tills with { Addresses = ["192.168.2.0/24"] },
            "name" => Where() with { Names = ["desk-*"] },
            "system" => Tills with { Systems = ["Windows*"] },
            "office" => Tills with { Offices = [York] },
            "label" => Tills with { Labels = new Dictionary<string, string> { ["room"] = "shop" } },
            "vendor" => Tills with { Vendors = ["Apple*"] },
            _ => Tills with { HasAgent = false },
        };

        Assert.Empty(Ruled(Rule("tills", conditions, RuleMode.Continuous, "x=y")).Reported().Devices[Till].Known.Labels);
    }

    [Fact]
    public void The_earlier_rule_has_its_way_with_a_label_that_both_give()
    {
        var office = Ruled(Rule("one", Tills, RuleMode.Once, "room=shop"), Rule("two", Tills, RuleMode.Once, "room=depot", "floor=2")).Reported();

        Assert.Equal(("shop", "2"), (office.Devices[Till].Known.Labels["room"], office.Devices[Till].Known.Labels["floor"]));
    }

    [Fact]
    public void A_rule_that_acts_once_leaves_alone_what_people_change()
    {
        var office = Ruled(Rule("tills", Tills, RuleMode.Once, "room=shop")).Reported().With(Labelled("depot"));

        Assert.Equal("depot", office.Reported(version: 2).Devices[Till].Known.Labels["room"]);
    }

    [Fact]
    public void A_continuous_rule_has_the_last_word()
    {
        var office = Ruled(Rule("tills", Tills, RuleMode.Continuous, "room=shop")).Reported().With(Labelled("depot"));

        Assert.Equal("shop", office.Devices[Till].Known.Labels["room"]);
    }

    [Fact]
    public void A_rule_acts_again_at_re_enrolment_only_where_it_says_so()
    {
        foreach (var (mode, room) in new[] { (RuleMode.Once, "shop"), (RuleMode.OnceAndAtReenrolment, "shop") })
        {
            var again = new DeviceId("d-till-again");
            var office = Ruled(Rule("tills", Tills, mode, "room=shop")).Reported()
                .With(new DeviceEnrolled(Leeds, again, "till-1", Situation.Enrolled, Certificate(2), new TokenId("t-2"), Noon))
                .Reported(device: again);

            Assert.Equal(mode == RuleMode.OnceAndAtReenrolment ? room : null, office.Devices[again].Known.Labels.GetValueOrDefault("room"));
        }
    }

    [Fact]
    public void A_rule_moves_a_device_with_its_labels_and_not_twice_an_hour()
    {
        var rule = Rule("tills", Tills, RuleMode.Continuous, "room=shop") with { Office = York };
        var office = Ruled(rule);

        var events = office.Settled([Report(office, Till, 1)], TestOffices.Options, Noon).Events;

        var moved = events.OfType<DeviceMovedOut>().Single();
        Assert.Equal((York, "shop"), (moved.To, moved.Device.Labels["room"]));
        // Back in the office, by whatever York's rules say.
        var back = office.Apply(events).With(new DeviceMovedIn(Leeds, Till, York, moved.Device, Noon));
        Assert.True(back.Devices.ContainsKey(Till));
        Assert.Contains(back.Settled([Report(back, Till, 2)], TestOffices.Options, Noon.AddHours(2)).Events, e => e is DeviceMovedOut);
    }

    [Fact]
    public void The_machine_of_a_node_is_never_moved()
    {
        var rule = Rule("all", Where() with { Names = ["*"] }, RuleMode.Continuous, "a=b") with { Office = York };
        var node = new DeviceId("d-gw1");
        var office = Ruled(rule).WithGateway().With(new DeviceEnrolled(Leeds, node, "gw1", Other, Certificate(1), new TokenId("t-1"), Noon));

        var events = office.Settled([Report(office, node, 1)], TestOffices.Options, Noon).Events;

        Assert.Equal("b", events.OfType<DevicePlaced>().Single().Labels["a"]);
        Assert.DoesNotContain(events, e => e is DeviceMovedOut);
    }

    [Fact]
    public void A_new_book_acts_at_once_on_all_devices_and_one_turned_off_on_none()
    {
        var office = Open(Leeds).WithTill().Reported();
        var rule = Rule("tills", Tills, RuleMode.Once, "room=shop");

        Assert.Empty(office.With(new OfficeRulesAdopted(Leeds, new RuleBook(1, [rule with { Enabled = false }]), Noon)).Devices[Till].Known.Labels);
        Assert.Equal("shop", office.With(new OfficeRulesAdopted(Leeds, new RuleBook(1, [rule]), Noon)).Devices[Till].Known.Labels["room"]);
    }

    [Fact]
    public void A_dry_run_names_devices_with_and_without_an_agent_and_changes_nothing()
    {
        var found = Fleet.Headquarters.Discovery.DiscoveredRule.New(new DiscoveredId("n-1"), Seen(PrinterMac, "192.168.1.77", "till-9"), Node1, PollMethod.IpRange);
        var office = Open(Leeds).WithTill().Reported().With(new DeviceDiscovered(Leeds, found, "", Noon));
        var rule = Rule("tills", Tills with { Addresses = ["192.168.1.0/24"] }, RuleMode.Once, "room=shop") with { Office = York, Enabled = false };

        var touched = Placement.Try(office, rule);

        Assert.Equal([("d-till", true, "room"), ("n-1", false, "room")], touched.Select(t => (t.Id, t.HasAgent, t.Labels.Keys.Single())));
        Assert.All(touched, t => Assert.Equal(York, t.Office));
        Assert.Empty(Placement.Try(office.Apply(new OfficeRulesAdopted(Leeds, new RuleBook(1, [rule]), Noon)), rule with { Conditions = Where() with { Names = ["nobody"] } }));
    }

    private static Office Ruled(params PlacementRule[] rules) => Open(Leeds).WithTill().With(new OfficeRulesAdopted(Leeds, new RuleBook(1, rules), Noon));

    private static PlacementRule Rule(string name, RuleConditions conditions, RuleMode mode, params string[] labels) =>
        new(new RuleName(name), Enabled: true, conditions, mode, labels.ToDictionary(l => l.Split('=')[0], l => l.Split('=')[1]), null);

    private static RuleConditions Where() => new([], [], [], [], new Dictionary<string, string>(), [], null);

    private static DeviceLabelled Labelled(string room) => new(Leeds, Till, new Dictionary<string, string> { ["room"] = room }, "test", Noon);

    internal static DeviceReported Report(Office office, DeviceId device, ulong version)
    {
        var report = new DeviceReport
        {
            Version = version,
            Machine = ByteString.CopyFrom(office.Devices[device].Known.Machine.Span),
            Inventory = new Inventory { HostName = "till-1", OsName = "Debian", OsVersion = "12" },
        };
        report.Inventory.Interfaces.Add(new NetworkInterface { Name = "eth0", Mac = "00:1b:a9:00:00:05", Addresses = { "192.168.1.30" } });
        return new DeviceReported(office.Id, device, version, version, 1, new byte[] { (byte)version }, report.ToByteArray(), Noon);
    }
}

internal static class Reporting
{
    public static Office Reported(this Office office, ulong version = 1, DeviceId? device = null) => office.With(PlacementTests.Report(office, device ?? Till, version));
}
