using Fleet.Contracts;
using Fleet.Headquarters.Offices;
using Fleet.Headquarters.Policies;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.Messages.Serialization;
using Google.Protobuf;
using MessagePack;
using static Fleet.Headquarters.Tests.Offices.Situation;

namespace Fleet.Headquarters.Tests.Offices;

public sealed class OfficeTests
{
    [Fact]
    public void An_office_that_is_not_open_refuses()
    {
        var decision = new Office(Leeds).Decide(new RemoveDevice(Leeds, Till, "test"), Noon);

        Assert.Equal(RefusalCode.NotFound, Assert.IsType<OfficeRefused>(decision.Reply).Code);
    }

    [Fact]
    public void Opening_twice_journals_once()
    {
        Assert.Empty(Open(Leeds).Decide(new OpenOffice(Leeds, "leeds", "test"), Noon).Events);
    }

    [Fact]
    public void An_office_with_devices_closes_only_by_force()
    {
        var office = Open(Leeds).WithTill();

        var refused = office.Decide(new CloseOffice(Leeds, Force: false, "test"), Noon);
        var forced = office.Decide(new CloseOffice(Leeds, Force: true, "test"), Noon);

        Assert.Equal(RefusalCode.NotEmpty, Assert.IsType<OfficeRefused>(refused.Reply).Code);
        Assert.False(office.Apply(forced.Events).IsOpen);
        Assert.Empty(office.Apply(forced.Events).Devices);
    }

    [Fact]
    public void Roles_are_added_and_removed_and_the_version_rises_only_by_a_change()
    {
        var office = Open(Leeds).WithGateway();

        var added = office.Decide(new AssignRoles(Leeds, Node1, [NodeRole.Gateway, NodeRole.Poller], [], "test"), Noon);
        var after = office.Apply(added.Events);
        var same = after.Decide(new AssignRoles(Leeds, Node1, [NodeRole.Gateway], [], "test"), Noon);

        Assert.Equal((1UL, 2), (after.Nodes[Node1].DesiredVersion, after.Nodes[Node1].Roles.Count));
        Assert.Empty(same.Events);
    }

    [Fact]
    public void A_label_changes_the_desired_version_and_the_same_label_does_not()
    {
        var office = Open(Leeds).WithTill();
        var label = new LabelDevice(Leeds, Till, new Dictionary<string, string> { ["ring"] = "canary" }, [], "test");

        var after = office.With([.. office.Decide(label, Noon).Events]);

        Assert.Equal((1UL, 2UL), (office.Devices[Till].Known.DesiredVersion, after.Devices[Till].Known.DesiredVersion));
        Assert.Empty(after.Decide(label, Noon).Events);
    }

    [Fact]
    public void A_gateway_that_reports_its_address_is_told_to_every_device()
    {
        var office = Open(Leeds).WithTill().WithGateway().With(new NodeRolesAssigned(Leeds, Node1, 1, [NodeRole.Gateway], "test", Noon));

        var after = office.With(new NodeReported(Leeds, Node1, Reported("10.0.0.5:13000"), Noon));

        Assert.Equal(1UL, office.Devices[Till].Known.DesiredVersion);
        Assert.Equal(2UL, after.Devices[Till].Known.DesiredVersion);
        Assert.Equal(["10.0.0.5:13000"], DesiredState.For(after, after.Devices[Till], TestOffices.Options).Gateways.Single().Addresses);
    }

    [Fact]
    public void Devices_share_the_gateways_of_their_office_and_each_keeps_its_order()
    {
        var office = Enumerable.Range(1, 2).Aggregate(Open(Leeds), (office, n) => office.With(
            new NodeEnrolled(Leeds, new NodeId($"gw{n}.leeds"), new DeviceId($"d-gw{n}"), Certificate(1), Noon),
            new NodeRolesAssigned(Leeds, new NodeId($"gw{n}.leeds"), 1, [NodeRole.Gateway], "test", Noon),
            new NodeReported(Leeds, new NodeId($"gw{n}.leeds"), Reported($"10.0.0.{n}:13000"), Noon)));
        office = Enumerable.Range(0, 200).Aggregate(office, (office, n) => office.With(
            new DeviceEnrolled(Leeds, new DeviceId($"d-{n}"), $"till-{n}", Enrolled, Certificate(1), new TokenId("t-1"), Noon)));

        string First(DeviceId device) => DesiredState.For(office, office.Devices[device], TestOffices.Options).Gateways[0].NodeId;
        var firsts = Enumerable.Range(0, 200).Select(n => First(new DeviceId($"d-{n}"))).ToList();

        Assert.InRange(firsts.Count(f => f == "gw1.leeds"), 70, 130);
        Assert.Equal(firsts, Enumerable.Range(0, 200).Select(n => First(new DeviceId($"d-{n}"))));
    }

    [Fact]
    public void A_moved_device_takes_everything_along_and_the_old_office_knows_where_it_is()
    {
        var leeds = Open(Leeds).WithTill();

        var moved = leeds.Apply(leeds.Decide(new MoveDevice(Leeds, Till, York, "test"), Noon).Events);
        var leaving = moved.Forwards[Till].Leaving!;
        var york = Open(York).With([.. Open(York).Decide(new TakeInDevice(York, Leeds, leaving), Noon).Events]);

        Assert.False(moved.Devices.ContainsKey(Till));
        Assert.Equal(2UL, york.Devices[Till].Known.DesiredVersion);
        var refused = Assert.IsType<OfficeRefused>(moved.Decide(new RemoveDevice(Leeds, Till, "test"), Noon).Reply);
        Assert.Equal((RefusalCode.Moved, true), (refused.Code, refused.Detail.Contains("york")));
    }

    [Fact]
    public void A_late_repeat_of_a_hand_over_does_not_bring_back_a_device_that_moved_on()
    {
        var leeds = Open(Leeds).WithTill();
        var handOver = new TakeInDevice(York, Leeds, leeds.Devices[Till].Known);
        var york = Open(York).With([.. Open(York).Decide(handOver, Noon).Events]);
        var gone = york.Apply(york.Decide(new MoveDevice(York, Till, Leeds, "test"), Noon).Events);

        var repeat = gone.Decide(handOver, Noon);

        Assert.Empty(repeat.Events);
        Assert.IsType<DeviceTakenIn>(repeat.Reply);
    }

    [Fact]
    public void A_device_may_return_to_the_office_it_left()
    {
        var leeds = Open(Leeds).WithTill();
        var left = leeds.Apply(leeds.Decide(new MoveDevice(Leeds, Till, York, "test"), Noon).Events);
        var york = Open(York).With([.. Open(York).Decide(new TakeInDevice(York, Leeds, left.Forwards[Till].Leaving!), Noon).Events]);

        var back = left.Decide(new TakeInDevice(Leeds, York, york.Devices[Till].Known), Noon);

        Assert.True(left.Apply(back.Events).Devices.ContainsKey(Till));
    }

    [Fact]
    public void A_device_that_no_office_takes_stays()
    {
        var leeds = Open(Leeds).WithTill();
        var left = leeds.Apply(leeds.Decide(new MoveDevice(Leeds, Till, York, "test"), Noon).Events);

        var kept = left.Apply(left.TakeBack(York, Noon));

        Assert.True(kept.Devices.ContainsKey(Till));
        Assert.Empty(kept.Forwards);
    }

    [Fact]
    public void A_nodes_own_machine_can_be_neither_moved_nor_removed_alone()
    {
        var office = Open(Leeds).WithGateway().With(new DeviceEnrolled(Leeds, new DeviceId("d-gw1"), "gw1", Enrolled, Certificate(1), new TokenId("t-1"), Noon));

        var moved = office.Decide(new MoveDevice(Leeds, new DeviceId("d-gw1"), York, "test"), Noon);
        var node = office.Decide(new RemoveNode(Leeds, Node1, "test"), Noon);

        Assert.Equal(RefusalCode.NotAllowed, Assert.IsType<OfficeRefused>(moved.Reply).Code);
        Assert.Empty(office.Apply(node.Events).Devices);
    }

    [Fact]
    public void An_older_policy_book_is_not_adopted()
    {
        var office = Open(Leeds).With(new OfficePoliciesAdopted(Leeds, new PolicyBook(5, []), Noon));

        var decision = office.Decide(new AdoptPolicyBook(Leeds, new PolicyBook(4, [])), Noon);

        Assert.Empty(decision.Events);
        Assert.Equal(new PolicyBookAdopted(Leeds, 5), decision.Reply);
    }

    [Fact]
    public void A_snapshot_holds_the_whole_office_but_no_secret_of_a_token_that_is_over()
    {
        byte[] secret = [1, 2, 3];
        var office = Open(Leeds).WithTill().WithGateway().With(
            new TokenCreated(Leeds, new TokenId("t-over"), JoinKind.Agent, 1, Noon, secret, "test", Noon),
            new TokenCreated(Leeds, new TokenId("t-good"), JoinKind.Agent, 1, Noon.AddHours(1), secret, "test", Noon),
            new DeviceMovedOut(Leeds, new DeviceId("d-gone"), York, NewDevice().Known, "test", Noon));

        var bytes = MessagePackSerializer.Serialize(office.ToSnapshot(Noon), Codec.Options);
        var restored = Office.From(MessagePackSerializer.Deserialize<OfficeSnapshot>(bytes, Codec.Options));

        Assert.Equal(0, restored.Tokens[new TokenId("t-over")].Secret.Length);
        Assert.Equal(3, restored.Tokens[new TokenId("t-good")].Secret.Length);
        Assert.Equal((1, 1, 1), (restored.Devices.Count, restored.Nodes.Count, restored.Forwards.Count));
        Assert.Empty(restored.Settled([], TestOffices.Options, Noon).Events);
        Assert.Null(DesiredState.Change(restored, restored.Devices[Till], TestOffices.Options, Noon));
    }

    [Fact]
    public void What_nobody_can_ask_for_any_more_is_not_kept_for_ever()
    {
        var office = Open(Leeds).WithTill().With(new TokenCreated(Leeds, new TokenId("t-over"), JoinKind.Agent, 1, Noon, default, "test", Noon));
        office = office.With(new DeviceMovedOut(Leeds, Till, York, office.Devices[Till].Known, "test", Noon), new DeviceMoveDone(Leeds, Till, Noon));

        var soon = Office.From(office.ToSnapshot(Noon.AddDays(89)));
        var late = Office.From(office.ToSnapshot(Noon.AddDays(366)));

        Assert.Equal((1, 1), (soon.Tokens.Count, soon.Forwards.Count));
        Assert.Equal((0, 0), (late.Tokens.Count, late.Forwards.Count));
    }

    [Fact]
    public void What_events_settle_to_is_what_their_journal_comes_to()
    {
        var office = Open(Leeds).WithTill();
        IOfficeEvent[] events =
        [
            new NodeEnrolled(Leeds, Node1, new DeviceId("d-gw1"), Certificate(1), Noon),
            new NodeReported(Leeds, Node1, Reported("192.168.1.10:13000"), Noon),
            new OfficePoliciesAdopted(Leeds, new PolicyBook(1, [new Policy(new PolicyDocument(new PolicyName("all"), [], new Dictionary<string, string>(), 1, new Dictionary<string, string> { ["sync.interval"] = "5m" }), 1, Noon)]), Noon),
            new DeviceReported(Leeds, Till, 1, 1, 1, new byte[] { 1 }, Report(1, Other).ToByteArray(), Noon),
        ];

        var settled = office.Settled(events, TestOffices.Options, Noon);
        var known = office.Settled(events, TestOffices.Options, Noon, after: office.Apply(events));

        Assert.Contains(settled.Events, e => e is DeviceDesiredChanged);
        Assert.Equal(Other, settled.After.Devices[Till].Known.Machine.ToArray());
        Assert.Equal(Bytes(office.Apply(settled.Events)), Bytes(settled.After));
        Assert.Equal(Bytes(settled.After), Bytes(known.After));
    }

    private static byte[] Bytes(Office office) => MessagePackSerializer.Serialize(office.ToSnapshot(Noon), Codec.Options);

    private static NodeReport Reported(params string[] addresses) => new(1, [NodeRole.Gateway], addresses, "0.1.0", "gw1", Noon, [], [], [], "directly", [], null);
}
