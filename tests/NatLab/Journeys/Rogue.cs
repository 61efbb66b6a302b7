using System.Net.Security;
using System.Text;
using Akka.Actor;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Api;
using Fleet.Device.Identity;
using Fleet.Device.Settings;
using Fleet.Messages.Link;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using Fleet.TestSupport;
using Google.Protobuf;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>Somebody with a valid certificate of one office, a gateway turned hostile, a stranger without a certificate, and tokens that are no good.</summary>
internal static class Rogue
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(2);

    public static Journey Journey { get; } = new("rogue", "overlapping-subnets", Run);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        await fleet.StartAll(step, devices: d => d.Name.EndsWith("-1", StringComparison.Ordinal)).ConfigureAwait(false);
        await RogueOfLeeds(fleet, step).ConfigureAwait(false);
        await HostileGateway(fleet, step).ConfigureAwait(false);
        await NoCertificate(fleet, step).ConfigureAwait(false);
        await BadTokens(fleet, step).ConfigureAwait(false);
    }

    private static async Task RogueOfLeeds(IFleetUnderTest fleet, Action<string> step)
    {
        var (leeds, york) = (fleet.Topology.Offices[0], fleet.Topology.Offices[1]);
        var victim = york.Nodes[0].Id;
        var machine = fleet.NetworkOf(fleet.Topology.Device("leeds-till-2"));
        var token = await fleet.Operator.CreateToken(leeds.Id, "node").ConfigureAwait(false);
        await using var rogue = await RogueNode.Join(machine, fleet.Agents, fleet.Link, token.Text, "rogue").ConfigureAwait(false);
        var before = (await fleet.Shown.Node(victim).ConfigureAwait(false))!;

        var own = rogue.SpeakAs($"{rogue.Node}.office");
        var welcome = await own.Ask<Welcome>(own.Door, own.Hello(rogue.Node)).ConfigureAwait(false);
        Require(welcome is not null, "the rogue is not let in as itself, so its failures prove nothing");

        var impostor = rogue.SpeakAs($"{victim}.office");
        Require(await impostor.Ask<ILinkMessage>(impostor.Door, impostor.Hello(victim)).ConfigureAwait(false) is null, $"the rogue was answered as {victim}, by its address");
        // Headquarters repeats the welcome of the rogue's own link until the rogue pings; a link as the victim would have another epoch.
        Require(await own.Ask<Welcome>(own.Door, own.Hello(victim)).ConfigureAwait(false) is not { } other || other.Message.Epoch == welcome!.Value.Message.Epoch,
            $"the rogue was let in as {victim}, by its Hello");
        step("it can't speak as the other office");

        var link = welcome!.Value.Sender;
        foreach (var path in new[] { "/user", "/user/*", $"/user/door/{link.Path.Name}x", "/user/door/*", "/system", "/system/*", "/system/remoting-terminator", "/deadLetters", "/temp" })
            Require(await own.Ask<ActorIdentity>(own.At(path), new Identify(path)).ConfigureAwait(false) is not { Message.Subject: not null }, $"the rogue reached {path}");
        own.Tell(link, new UpFrame("another-epoch", 1, [new PresenceDigest([])]));
        step("it reaches no path but the door, and no link but its own");

        foreach (var weapon in new object[] { PoisonPill.Instance, Kill.Instance })
        {
            own.Tell(own.Door, weapon);
            own.Tell(link, weapon);
        }

        var created = own.System.ActorOf(Props.Create<Planted>().WithDeploy(new Deploy(new RemoteScope(Address.Parse("akka.tls://edge@headquarters.fleet:13001")))), "planted");
        Require(await own.Ask<string>(created, "who are you?").ConfigureAwait(false) is null, "the rogue created an actor in headquarters");
        // What was refused is sent again and again by its own Akka, and headquarters drops each connection that carries it: it comes in anew.
        await own.System.Terminate().ConfigureAwait(false);
        own = rogue.SpeakAs($"{rogue.Node}.office");
        await Until.True(async () => await own.Ask<ILinkMessage>(own.Door, own.Hello(rogue.Node)).ConfigureAwait(false) is not null, "the door answers after all that").ConfigureAwait(false);
        step("it can't stop the door, nor create an actor");

        var cluster = $"{fleet.Topology.Headquarters}:13002";
        Require(await Opens(() => machine.Connect(cluster, new CancellationTokenSource(Silence).Token)).ConfigureAwait(false) is null, "the cluster's port is open to an office");
        Require(await own.Ask<object>(own.At("/system/cluster/core/daemon"), new Identify("cluster")).ConfigureAwait(false) is not { Message: ActorIdentity { Subject: not null } }, "the rogue reached the cluster");
        step("it can't join the cluster");

        var after = (await fleet.Shown.Node(victim).ConfigureAwait(false))!;
        Require(after.Linked && after.LinkSince == before.LinkSince, $"the rogue disturbed the link of {victim}");
        Require(fleet.Logged(rogue.Node.Value).Count > 0, "nothing in the log tells of the rogue");
        step("the other office's link was not disturbed");
    }

    private static async Task HostileGateway(IFleetUnderTest fleet, Action<string> step)
    {
        var office = fleet.Topology.Offices[0].Id;
        var machine = fleet.NetworkOf(fleet.Topology.Device("leeds-till-2"));
        var token = await fleet.Operator.CreateToken(office, "agent").ConfigureAwait(false);
        HostileCarriers? hostile = null;
        await using var device = await LabDevice.Join(machine, new Reach([], [fleet.Agents], GatewayOnly: false), token.Text, "secret-laptop",
            DeviceOptions.Default with { SyncInterval = TimeSpan.FromSeconds(1) }, honest => hostile = new HostileCarriers(honest)).ConfigureAwait(false);
        async Task<DeviceResource> AtHeadquarters() => (await fleet.Shown.Device("secret-laptop").ConfigureAwait(false))!;
        Task Agreed(string what) => fleet.Until(async _ => device.State is { AwaitsAck: false, ReportedVersion: > 0 } && await fleet.Shown.Device("secret-laptop").ConfigureAwait(false) is { } known && known.ReportedVersion == device.State.ReportedVersion, what);
        await Agreed("the laptop's first report is stored").ConfigureAwait(false);
        device.Machine.Change();
        var first = device.State.ReportedVersion;
        await Until.True(() => device.State.ReportedVersion > first, "the laptop reports its change").ConfigureAwait(false);
        await Agreed("the laptop's change is stored").ConfigureAwait(false);

        Require(hostile!.Carried.Count >= 2, "the hostile gateway carried no envelopes, so this proves nothing");
        Require(!hostile.Carried.Any(c => c.Envelope.Span.IndexOf(Encoding.UTF8.GetBytes("secret-laptop")) >= 0 || c.Envelope.Span.IndexOf("Lab CPU"u8) >= 0), "an envelope shows its content");
        step("a hostile gateway can't read what it carries");

        var stored = await AtHeadquarters().ConfigureAwait(false);
        var events = await fleet.Shown.EventNumbers(stored.Id).ConfigureAwait(false);
        var old = hostile.Carried[0];
        hostile.AlterUp = request =>
        {
            request.ReportedVersion = Math.Max(request.ReportedVersion, stored.ReportedVersion + 1);
            request.Envelope = old.Envelope;
        };
        await Refused(device).ConfigureAwait(false);
        hostile.AlterUp = request => Envelope(request, hostile.Carried[^1], sealedOne => sealedOne.Ciphertext = Flipped(sealedOne.Ciphertext));
        await Refused(device).ConfigureAwait(false);
        hostile.AlterUp = request => Envelope(request, hostile.Carried[^1], sealedOne =>
        {
            var header = EnvelopeHeader.Parser.ParseFrom(sealedOne.Header);
            header.Version += 5;
            sealedOne.Header = header.ToByteString();
        });
        await Refused(device).ConfigureAwait(false);
        var unharmed = await AtHeadquarters().ConfigureAwait(false);
        Require(unharmed.ReportedVersion == stored.ReportedVersion, $"headquarters took report {unharmed.ReportedVersion} from a hostile gateway");
        Require((await fleet.Shown.EventNumbers(stored.Id).ConfigureAwait(false)).SequenceEqual(events), "a replay was recorded as new events");
        step("it can't replay, alter or forge what a device reports");

        hostile.AlterUp = null;
        hostile.AlterDown = reply =>
        {
            for (var i = 0; i < reply.Envelopes.Count; i++)
            {
                var sealedOne = SealedEnvelope.Parser.ParseFrom(reply.Envelopes[i]);
                sealedOne.Ciphertext = Flipped(sealedOne.Ciphertext);
                reply.Envelopes[i] = sealedOne.ToByteString();
            }
        };
        var desired = device.State.DesiredVersion;
        await fleet.Operator.ApplyPolicy(new PolicyContent("temptation", Settings: new Dictionary<string, string> { ["temptation"] = "yes" })).ConfigureAwait(false);
        await fleet.Until(async _ => (await AtHeadquarters().ConfigureAwait(false)).DesiredVersion > desired, "headquarters desires more of the laptop").ConfigureAwait(false);
        await Rounds(device, 2).ConfigureAwait(false);
        Require(device.State.DesiredVersion == desired, "the device took a document that was altered on its way");
        hostile.AlterDown = null;
        await fleet.Until(async _ => (await AtHeadquarters().ConfigureAwait(false)).Converged && device.State.DesiredVersion > desired, "the laptop is well once the gateway is honest").ConfigureAwait(false);
        step("it can't alter what headquarters desires; once honest, all agree");
    }

    private static async Task NoCertificate(IFleetUnderTest fleet, Action<string> step)
    {
        var machine = fleet.NetworkOf(fleet.Topology.Device("leeds-till-2"));
        foreach (var (what, address) in new[] { ("the agent service", fleet.Agents), ("the link", fleet.Link) })
        {
            await using var tcp = await machine.Connect(address, CancellationToken.None).ConfigureAwait(false);
            await using var tls = new SslStream(tcp, leaveInnerStreamOpen: false, (_, _, _, _) => true);
            using var patience = new CancellationTokenSource(Silence);
            var got = await Opens<Stream>(async () =>
            {
                await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "headquarters.fleet", ApplicationProtocols = [SslApplicationProtocol.Http2] }, patience.Token).ConfigureAwait(false);
                // In TLS 1.3 the client learns only afterwards that its certificate was missed; HTTP/2 would greet with SETTINGS.
                await tls.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray(), patience.Token).ConfigureAwait(false);
                return await tls.ReadAsync(new byte[1], patience.Token).ConfigureAwait(false) > 0 ? tls : throw new IOException("closed");
            }).ConfigureAwait(false);
            Require(got is null, $"{what} spoke to a client without a certificate");
        }

        step("a client without a certificate gets nothing");
    }

    private static async Task BadTokens(IFleetUnderTest fleet, Action<string> step)
    {
        var (leeds, york) = (fleet.Topology.Offices[0], fleet.Topology.Offices[1]);
        var device = fleet.Topology.Device("leeds-till-3");

        var expired = await fleet.Operator.CreateToken(leeds.Id, "agent", "1s").ConfigureAwait(false);
        await Until.True(() => DateTimeOffset.UtcNow > expired.ExpiresAt, "the token has expired").ConfigureAwait(false);
        await RefusedWith(fleet, device, expired, expired.Text, "expired").ConfigureAwait(false);

        var revoked = await fleet.Operator.CreateToken(leeds.Id, "agent").ConfigureAwait(false);
        await fleet.Operator.RevokeToken(revoked.Id).ConfigureAwait(false);
        await RefusedWith(fleet, device, revoked, revoked.Text, "revoked").ConfigureAwait(false);

        var ofLeeds = await fleet.Operator.CreateToken(leeds.Id, "agent").ConfigureAwait(false);
        Require(JoinToken.TryParse(ofLeeds.Text, out var join, out _), "a fresh token can't be read");
        await RefusedWith(fleet, device, ofLeeds, (join! with { Office = york.Id }).ToText(), "token").ConfigureAwait(false);
        step("expired, revoked and wrong-office tokens are refused with their reason, and the log tells");
    }

    private static async Task RefusedWith(IFleetUnderTest fleet, TopologyDevice device, CreatedToken token, string text, string reason)
    {
        var refused = await fleet.EnrolDevice(device, text).ConfigureAwait(false);
        Require(refused?.Contains(reason, StringComparison.OrdinalIgnoreCase) == true, $"a token that is {reason} was answered with: {refused ?? "yes"}");
        await Until.True(() => fleet.Logged(token.Id).Any(l => l.Contains("refus", StringComparison.OrdinalIgnoreCase)), $"the log tells of the refusal ({reason})").ConfigureAwait(false);
    }

    /// <summary>The device tries to report a change, twice, and is not acknowledged.</summary>
    private static async Task Refused(LabDevice device)
    {
        var before = device.State;
        device.Machine.Change();
        await Rounds(device, 2).ConfigureAwait(false);
        Require(device.State.AcknowledgedVersion == before.AcknowledgedVersion, "a report that a hostile gateway spoilt was acknowledged");
    }

    private static async Task Rounds(LabDevice device, int count)
    {
        var seen = 0;
        void Count(Device.Sync.RoundEnd end) => Interlocked.Increment(ref seen);
        device.RoundEnded += Count;
        await Until.True(
            () =>
            {
                device.SyncSoon();
                return Volatile.Read(ref seen) >= count;
            },
            $"{count} rounds").ConfigureAwait(false);
        device.RoundEnded -= Count;
    }

    private static void Envelope(SyncRequest request, SyncRequest carried, Action<SealedEnvelope> alter)
    {
        var sealedOne = SealedEnvelope.Parser.ParseFrom(carried.Envelope);
        alter(sealedOne);
        request.Envelope = sealedOne.ToByteString();
    }

    private static ByteString Flipped(ByteString bytes)
    {
        var flipped = bytes.ToByteArray();
        flipped[flipped.Length / 2] ^= 1;
        return ByteString.CopyFrom(flipped);
    }

    private static async Task<T?> Opens<T>(Func<Task<T>> attempt)
        where T : class
    {
        try
        {
            return await attempt().ConfigureAwait(false);
        }
        catch (Exception closed) when (closed is IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
            return null;
        }
    }

    private sealed class Planted : UntypedActor
    {
        protected override void OnReceive(object message) => Sender.Tell("planted");
    }
}
