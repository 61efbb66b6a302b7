using System.Net.Http.Json;
using Akka.TestKit.Xunit2;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.Tests.Offices;
using Fleet.Headquarters.Tests.Web;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.Messages.Serialization;
using Fleet.TestSupport;
using MessagePack;
using static Fleet.Headquarters.Tests.Discovery.NetworkSituation;

namespace Fleet.Headquarters.Tests.Installs;

/// <summary>Agents onto discovered devices, from the API to the node and back, on a whole headquarters.</summary>
public sealed class InstallTests(TestFaces faces) : IClassFixture<TestFaces>
{
    private const string Password = "pa55word-of-the-device";

    [Fact]
    public async Task An_agent_is_set_up_with_credentials_that_the_node_alone_reads_and_a_token_with_one_use()
    {
        var (node, device) = await Discovered("leeds-1", "52:54:00:00:01:01");

        var begun = await Install(device, new NewInstall("admin", Password));
        var order = await node.Down<InstallAgent>();
        var secret = MessagePackSerializer.Deserialize<InstallSecret>(node.Machine.OpenSecret(Messages.Link.Installs.Secret, order.Secret), Codec.Options);
        await node.Send(new InstallProgress(order.InstallId, InstallStep.Copying));
        Assert.True(JoinToken.TryParse(secret.JoinToken, out var token, out _));
        var agent = new Machine("till-9");
        var enrolled = (await faces.Company.Enrol(agent.Join(token!))).Enrolled;
        await node.Send(new InstallEnded(order.InstallId, InstallOutcome.Installed, "", "ssh-ed25519 SHA256:first"));
        await Until.True(async () => (await Show(begun.Id)).State == "installed", "the end is shown");

        Assert.Equal(("running", "192.168.1.20", 22), (begun.State, order.Address, order.Port));
        Assert.Equal(("admin", Password), (secret.User, secret.Password));
        Assert.Equal((enrolled.DeviceId, "ssh-ed25519 SHA256:first"), ((await Show(begun.Id)).Device, (await Show(begun.Id)).HostKey));
        Assert.Empty((await faces.Get("/api/v1/discovered?office=leeds-1", ApiJson.Default.ListPageDiscoveredResource)).Items);
        Assert.NotNull((await faces.Company.Enrol(new Machine("second").Join(token!))).Refusal);
        Assert.False(await faces.Company.Stores("pa55word-of-the-device"));
    }

    [Fact]
    public async Task The_host_key_is_pinned_at_the_first_time_and_a_change_must_be_accepted()
    {
        var (node, device) = await Discovered("leeds-2", "52:54:00:00:02:01");
        await Install(device, new NewInstall("admin", Password));
        var first = await node.Down<InstallAgent>();
        await node.Send(new InstallEnded(first.InstallId, InstallOutcome.NoSudo, "admin is not root", "ssh-ed25519 SHA256:first"));
        await Until.True(async () => (await faces.Get($"/api/v1/discovered/{device}", ApiJson.Default.DiscoveredResource)).HostKey == "ssh-ed25519 SHA256:first", "the key is shown");

        await Install(device, new NewInstall("admin", Password));
        var second = await node.Down<InstallAgent>();
        await node.Send(new InstallEnded(second.InstallId, InstallOutcome.HostKeyChanged, "another key", "ssh-ed25519 SHA256:second"));
        await Until.True(async () => (await Show(second.InstallId.Value)).State == "host-key-changed", "the refusal is shown");
        await Install(device, new NewInstall("admin", Password, AcceptHostKey: true));
        var third = await node.Down<InstallAgent>();

        Assert.Equal(["", "ssh-ed25519 SHA256:first", ""], new[] { first, second, third }.Select(o => o.HostKey));
        Assert.Equal("ssh-ed25519 SHA256:first", (await faces.Get($"/api/v1/discovered/{device}", ApiJson.Default.DiscoveredResource)).HostKey);
    }

    [Fact]
    public async Task A_managed_device_a_second_installation_and_bad_requests_are_refused()
    {
        var (node, device) = await Discovered("leeds-3", "52:54:00:00:03:01");
        var till = await faces.Company.EnrolDevice(new OfficeId("leeds-3"), "till-3");
        await Until.True(async () => await faces.Company.ReadModel.Device(till.Id) is not null, "the device is listed");

        Assert.Contains("has an agent already", await Refused(till.Id.Value, new NewInstall("admin", Password)), StringComparison.Ordinal);
        Assert.Contains("a password or a private key is needed", await Refused(device, new NewInstall("admin")), StringComparison.Ordinal);
        Assert.Contains("is no IP address", await Refused(device, new NewInstall("admin", Password, Address: "till")), StringComparison.Ordinal);
        Assert.Contains($"did you mean {device}?", await Refused(device[..^1] + "x", new NewInstall("admin", Password)), StringComparison.Ordinal);
        await Install(device, new NewInstall("admin", Password));
        Assert.Contains("is being set up there already", await Refused(device, new NewInstall("admin", Password)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_installation_ends_with_the_link_of_its_node_and_a_failed_one_takes_its_token_back()
    {
        var (node, device) = await Discovered("leeds-4", "52:54:00:00:04:01");
        var failed = await Install(device, new NewInstall("admin", Password));
        var order = await node.Down<InstallAgent>();
        await node.Send(new InstallEnded(order.InstallId, InstallOutcome.Unreachable, "no route", ""));
        await Until.True(async () => (await Show(failed.Id)).State == "unreachable", "the failure is shown");
        var cut = await Install(device, new NewInstall("admin", Password));
        await node.Down<InstallAgent>();

        faces.Company.Cluster.Offices.Tell(new UnlinkNode(new OfficeId("leeds-4"), node.Id, node.Epoch, "cut"), Akka.Actor.ActorRefs.NoSender);

        await Until.True(async () => (await Show(cut.Id)).State == "interrupted", "the end is shown");
        var events = (await faces.Company.Events()).OfType<IOfficeEvent>().Where(e => e.OfficeId.Value == "leeds-4").ToList();
        Assert.Equal(events.OfType<AgentInstallBegun>().First().TokenId, events.OfType<TokenWasRevoked>().Single().TokenId);
    }

    [Fact]
    public async Task An_installation_ends_when_its_node_is_removed()
    {
        var (node, device) = await Discovered("leeds-5", "52:54:00:00:05:01");
        var begun = await Install(device, new NewInstall("admin", Password));

        await faces.Company.Office(new RemoveNode(new OfficeId("leeds-5"), node.Id, "test"));

        await Until.True(async () => (await Show(begun.Id)) is { State: "interrupted", Detail: var why } && why.Contains("was removed", StringComparison.Ordinal), "the end is shown");
    }

    private async Task<(LinkedNode Node, string Device)> Discovered(string office, string mac)
    {
        await faces.AddOffice(office);
        var node = await LinkedNode.Join(faces.Company, new TestKit(faces.Company.System).CreateTestProbe(), new OfficeId(office), "gw1");
        await faces.Company.Office(new AssignRoles(new OfficeId(office), node.Id, [NodeRole.Poller], [], "test"));
        await node.Down<NodeDesired>(d => d.Polls is not null);
        var poll = new PollId("p-" + office);
        await node.Send(new PollProgress(poll, PollMethod.IpRange, true, DateTimeOffset.UtcNow, 0, 0, 0, 0));
        await node.Send(new Sightings(poll, PollMethod.IpRange, [Seen(mac, "192.168.1.20", "till-9")]));
        await Until.True(async () => (await faces.Get($"/api/v1/discovered?office={office}", ApiJson.Default.ListPageDiscoveredResource)).Total == 1, "the device is listed");
        return (node, (await faces.Get($"/api/v1/discovered?office={office}", ApiJson.Default.ListPageDiscoveredResource)).Items.Single().Id);
    }

    private Task<InstallResource> Install(string device, NewInstall wanted) => faces.Post($"/api/v1/discovered/{device}/install", wanted, ApiJson.Default.NewInstall, ApiJson.Default.InstallResource);

    private async Task<string> Refused(string device, NewInstall wanted)
    {
        using var response = await faces.Api.PostAsJsonAsync($"/api/v1/discovered/{device}/install", wanted, ApiJson.Default.NewInstall);
        return (await TestFaces.Problem(response)).Detail;
    }

    private Task<InstallResource> Show(string id) => faces.Get($"/api/v1/installs/{id}", ApiJson.Default.InstallResource);
}
