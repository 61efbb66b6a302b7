using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Headquarters.Offices;
using Fleet.Headquarters.Policies;
using Fleet.Headquarters.Tests.Offices;
using Fleet.Messages.Company;
using Fleet.Messages.Offices;
using static Fleet.Headquarters.Tests.Offices.Situation;

namespace Fleet.Headquarters.Tests.Policies;

public sealed class DesiredStateTests
{
    [Fact]
    public void The_higher_priority_wins_and_equal_ones_go_by_name()
    {
        var document = DocumentUnder(
            Policy("low", 1, [], ("a", "low"), ("b", "low")), Policy("beta", 5, [], ("a", "beta")), Policy("alpha", 5, [], ("a", "alpha")));

        Assert.Equal(("alpha", "low"), (document.Settings["a"], document.Settings["b"]));
        Assert.Equal(["alpha", "beta", "low"], document.Policies.Select(p => p.Name));
    }

    [Fact]
    public void A_policy_of_another_office_or_label_does_not_apply()
    {
        var elsewhere = Policy("york-only", 1, [], ("a", "1"));
        elsewhere = elsewhere with { Document = elsewhere.Document with { Offices = [York] } };

        var document = DocumentUnder(elsewhere, Policy("canaries", 1, [("ring", "canary")], ("b", "1")));

        Assert.Empty(document.Settings);
    }

    [Fact]
    public void The_settings_that_fleet_knows_shape_the_document()
    {
        var document = DocumentUnder(Policy("base", 1, [], (PolicySettings.SyncInterval, "30s"), (PolicySettings.GatewayOnly, "true")));

        Assert.True(document.GatewayOnly);
        Assert.Equal(TimeSpan.FromSeconds(30), document.SyncInterval.ToTimeSpan());
        Assert.Equal(["hq.example:13000"], document.HeadquartersAddresses);
    }

    [Fact]
    public void A_changed_policy_raises_the_version_of_the_devices_it_selects_alone()
    {
        var office = Open(Leeds).WithTill()
            .With(new DeviceEnrolled(Leeds, new DeviceId("d-desk"), "desk", Other, Certificate(1), new TokenId("t-1"), Noon))
            .With(new DeviceLabelled(Leeds, Till, new Dictionary<string, string> { ["ring"] = "canary" }, "test", Noon));

        var events = office.Settled([new OfficePoliciesAdopted(Leeds, new PolicyBook(1, [Policy("canaries", 1, [("ring", "canary")], ("a", "1"))]), Noon)], TestOffices.Options, Noon).Events;

        Assert.Equal(Till, Assert.Single(events.OfType<DeviceDesiredChanged>()).DeviceId);
    }

    [Fact]
    public void A_vendor_is_in_each_devices_document_and_makes_a_new_version_of_it()
    {
        var office = Open(Leeds).WithTill();
        var acme = new Vendor("acme", new byte[] { 1, 2 }, ["acme-*"], "https://updates.acme.example");

        var events = office.Settled([new OfficeUpdatesAdopted(Leeds, UpdateBook.Empty with { Version = 1, Vendors = [acme] }, Noon)], TestOffices.Options, Noon).Events;
        var after = events.Aggregate(office, (o, e) => o.With(e));

        Assert.Equal(Till, Assert.Single(events.OfType<DeviceDesiredChanged>()).DeviceId);
        var named = Assert.Single(DesiredState.For(after, after.Devices[Till], TestOffices.Options).Vendors);
        Assert.Equal(("acme", "acme-*"), (named.Name, Assert.Single(named.Packages)));
        Assert.Equal(acme.Root.ToArray(), named.Root.ToByteArray());
    }

    [Fact]
    public void At_a_start_documents_are_compared_where_settings_are_other_ones_than_they_were_last_compared_by()
    {
        var office = Open(Leeds).WithTill();
        var others = TestOffices.Options with { HeadquartersAddresses = ["other.example:13000"] };

        var first = DesiredState.Check(office, TestOffices.Options, Noon);
        var known = first.Aggregate(office, (o, e) => o.With(e));
        var changed = DesiredState.Check(known, others, Noon);

        Assert.IsType<OfficeDocumentsChecked>(Assert.Single(first));
        Assert.Empty(DesiredState.Check(Office.From(known.ToSnapshot(Noon)), TestOffices.Options, Noon));
        Assert.Equal(Till, Assert.Single(changed.OfType<DeviceDesiredChanged>()).DeviceId);
        Assert.Empty(DesiredState.Check(changed.Aggregate(known, (o, e) => o.With(e)), others, Noon));
        Assert.Empty(DesiredState.Check(Open(York), TestOffices.Options, Noon));
    }

    [Theory]
    [InlineData("sync.interval", "soon")]
    [InlineData("sync.interval", "0s")]
    [InlineData("sync.interval", "900d")]
    [InlineData("agent.gateway-only", "perhaps")]
    public void A_policy_with_a_wrong_value_is_refused(string key, string value)
    {
        Assert.Contains(key, PolicySettings.Problem(Policy("p", 1, [], (key, value)).Document));
    }

    private static DesiredDocument DocumentUnder(params Policy[] policies)
    {
        var office = Open(Leeds).WithTill().With(new OfficePoliciesAdopted(Leeds, new PolicyBook(1, policies), Noon));
        return DesiredState.For(office, office.Devices[Till], TestOffices.Options);
    }

    private static Policy Policy(string name, int priority, (string, string)[] labels, params (string Key, string Value)[] settings) => new(
        new PolicyDocument(new PolicyName(name), [], labels.ToDictionary(l => l.Item1, l => l.Item2), priority, settings.ToDictionary(s => s.Key, s => s.Value)), 1, Noon);
}
