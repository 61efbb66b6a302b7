using Akka.Actor;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.Messages.Transport;
using Fleet.TestSupport;
using Microsoft.Extensions.Logging;

namespace Fleet.Headquarters.Tests.Links;

/// <summary>The life of a link between real actor systems on loopback.</summary>
public sealed class OfficeLinkTests
{
    private static readonly PollId Poll = new("p-1");
    private static readonly Sighting Printer = new(DateTimeOffset.UnixEpoch, "52:54:00:12:34:56", "", ["192.168.1.9"], [], [], "");
    private static readonly PollEnded Ended = new(Poll, PollMethod.IpRange, true, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, PollOutcome.Completed, "", 254, 1, 9, []);

    [Fact]
    public async Task A_node_is_welcomed_by_a_link_of_its_own_whose_name_can_not_be_guessed()
    {
        await using var rig = new LinkRig();
        var node = rig.Node(LinkRig.Leeds);

        var (welcome, link) = await node.ComeIn();

        var told = await rig.TwinsGet<LinkNode>();
        Assert.Equal((LinkRig.Leeds, welcome.Epoch), (told.NodeId, told.Epoch));
        Assert.StartsWith("/user/door/", "/" + string.Join('/', link.Path.Elements), StringComparison.Ordinal);
        Assert.True(link.Path.Name.Length >= 32);
    }

    [Fact]
    public async Task Pings_frames_and_what_comes_down_travel_both_ways()
    {
        await using var rig = new LinkRig();
        var node = rig.Node(LinkRig.Leeds);
        var (welcome, link) = await node.ComeIn();

        link.Tell(new Ping(welcome.Epoch, 5), node.Ear);
        Assert.Equal(5ul, (await node.Hears<Pong>()).Message.Number);

        link.Tell(new UpFrame(welcome.Epoch, 1, [new NodeEvent(1, DateTimeOffset.UtcNow, "start", "office started")]), node.Ear);
        Assert.Equal(1ul, (await node.Hears<UpFrameStored>()).Message.Number);
        var taken = await rig.TwinsGet<TakeFrame>();
        Assert.Equal("office started", Assert.IsType<NodeEvent>(Assert.Single(taken.Frame.Items)).Text);
    }

    [Fact]
    public async Task What_the_twin_sends_down_reaches_the_node_over_the_connection_it_opened()
    {
        await using var rig = new LinkRig(twins: (message, session) =>
        {
            FakeTwins.WelcomeAll(message, session);
            if (message is TakeAnnounce take)
                session.Tell(new SendDown(take.Announce.Epoch, [new NodeEventsStored(7)]));
        });
        var node = rig.Node(LinkRig.Leeds);
        var (welcome, link) = await node.ComeIn();

        link.Tell(Announced(welcome.Epoch), node.Ear);

        var down = (await node.Hears<DownFrame>()).Message;
        Assert.Equal(7ul, Assert.IsType<NodeEventsStored>(Assert.Single(down.Items)).Number);
        Assert.Equal(0, rig.Network.Dials);
    }

    [Fact]
    public async Task Two_offices_on_the_same_private_address_are_told_apart()
    {
        await using var rig = new LinkRig();
        var (leeds, york) = (rig.Node(LinkRig.Leeds), rig.Node(LinkRig.York));

        var (leedsWelcome, leedsLink) = await leeds.ComeIn();
        var (yorkWelcome, yorkLink) = await york.ComeIn();
        leedsLink.Tell(new Ping(leedsWelcome.Epoch, 1), leeds.Ear);
        yorkLink.Tell(new Ping(yorkWelcome.Epoch, 2), york.Ear);

        Assert.Equal(1ul, (await leeds.Hears<Pong>()).Message.Number);
        Assert.Equal(2ul, (await york.Hears<Pong>()).Message.Number);
        Assert.NotEqual(leedsWelcome.Epoch, yorkWelcome.Epoch);
    }

    [Fact]
    public async Task A_node_that_comes_in_anew_replaces_its_link()
    {
        await using var rig = new LinkRig();
        var node = rig.Node(LinkRig.Leeds);
        var (first, _) = await node.ComeIn();

        var (second, _) = await node.ComeIn();

        var unlinked = await rig.TwinsGet<UnlinkNode>();
        Assert.Equal((first.Epoch, "the node came in anew"), (unlinked.Epoch, unlinked.Reason));
        Assert.NotEqual(first.Epoch, second.Epoch);
    }

    [Fact]
    public async Task Without_pings_the_lease_runs_out_and_the_twin_is_told()
    {
        await using var rig = new LinkRig(lease: TimeSpan.FromMilliseconds(500));
        var (welcome, _) = await rig.Node(LinkRig.Leeds).ComeIn();

        var unlinked = await rig.TwinsGet<UnlinkNode>();

        Assert.Equal(welcome.Epoch, unlinked.Epoch);
        Assert.StartsWith("no ping for", unlinked.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_copied_node_is_refused_with_the_reason_and_the_other_goes_on()
    {
        await using var rig = new LinkRig();
        await rig.Node(LinkRig.Leeds).ComeIn("run-1");
        await rig.Node(LinkRig.Leeds).ComeIn("run-2");
        var told = rig.EdgeLogs("gw1.leeds runs twice");

        // Akka lets an actor system that another took the place of never come back: a node then builds a new one, and stays the same process.
        var (refused, _) = await rig.Node(LinkRig.Leeds).SayHelloUntil<NotWelcome>("run-1");

        Assert.Equal(RefusalCode.Clone, refused.Code);
        Assert.True(refused.RetryAfter > TimeSpan.FromMinutes(1));
        await told.WaitAsync(LinkRig.Patience);
        await rig.Node(LinkRig.Leeds).ComeIn("run-2");
    }

    [Fact]
    public async Task A_node_that_dies_is_one_line_in_the_log()
    {
        using var log = new CaughtLog();
        await using var rig = new LinkRig(lease: TimeSpan.FromMilliseconds(500), log: log);
        var node = rig.Node(LinkRig.Leeds);
        await node.ComeIn();

        LinkTransport.Of(node.System).Abort(PeerIdentity.HeadquartersHost);
        await rig.TwinsGet<UnlinkNode>();
        await Until.True(() => log.All.Any(l => l.Cause is not null), "Akka has said what it thinks of it");
        await Until.True(() => log.Lines.Any(l => l.Level >= LogLevel.Warning), "the loss is in the log");

        // Of all that was logged: on a busy machine the lease may have run out before the connection was cut.
        var told = Assert.Single(log.Lines, l => l.Level >= LogLevel.Warning);
        Assert.Equal(LogLevel.Warning, told.Level);
        Assert.Matches(@"^Link of node gw1\.leeds is lost: no ping for [0-9.]+ s; it was linked since", told.Text);
    }

    [Fact]
    public async Task A_headquarters_that_stops_says_goodbye_to_its_nodes()
    {
        await using var rig = new LinkRig();
        var node = rig.Node(LinkRig.Leeds);
        var (welcome, _) = await node.ComeIn();

        await rig.Edge.DisposeAsync();

        var (goodbye, _) = await node.Hears<Goodbye>();
        Assert.Equal((welcome.Epoch, "headquarters stops"), (goodbye.Epoch, goodbye.Reason));
    }

    [Fact]
    public async Task A_node_that_the_office_does_not_know_is_refused_with_the_reason_and_a_spread_wait()
    {
        await using var rig = new LinkRig(twins: (message, session) =>
        {
            if (message is LinkNode link)
                session.Tell(new OfficeRefused(link.OfficeId, RefusalCode.Removed, "it was removed; enrol it anew"));
        });
        var node = rig.Node(LinkRig.Leeds);

        node.SayHello();

        var refused = (await node.Hears<NotWelcome>()).Message;
        Assert.Equal(RefusalCode.Removed, refused.Code);
        Assert.InRange(refused.RetryAfter, rig.Link.MaxBackoff / 2, rig.Link.MaxBackoff * 1.5);
    }

    [Fact]
    public async Task A_node_that_comes_in_over_and_over_is_told_to_wait()
    {
        await using var rig = new LinkRig();
        var node = rig.Node(LinkRig.Leeds);
        await node.ComeIn();

        for (var i = 0; i < 10; i++)
            node.SayHello();

        var refused = (await node.Hears<NotWelcome>()).Message;
        Assert.Equal(RefusalCode.Busy, refused.Code);
        Assert.True(refused.RetryAfter >= TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_node_of_another_protocol_is_told_so()
    {
        await using var rig = new LinkRig();
        var node = rig.Node(LinkRig.Leeds);

        node.Door.Tell(new Hello(node.Id, Hello.CurrentProtocol + 1, "9.0.0", "run-1", DateTimeOffset.UtcNow), node.Ear);

        Assert.Equal(RefusalCode.UnsupportedVersion, (await node.Hears<NotWelcome>()).Message.Code);
    }

    [Fact]
    public async Task A_link_whose_twin_moves_goes_on_under_a_new_epoch()
    {
        await using var rig = new LinkRig();
        var node = rig.Node(LinkRig.Leeds);
        var (welcome, link) = await node.ComeIn();
        link.Tell(new Ping(welcome.Epoch, 1), node.Ear);
        await node.Hears<Pong>();

        rig.Twins.Tell(new FakeTwins.Move());

        var (again, sameLink) = await node.Hears<Welcome>();
        Assert.NotEqual(welcome.Epoch, again.Epoch);
        Assert.Equal(link, sameLink);
        sameLink.Tell(new UpFrame(again.Epoch, 1, []), node.Ear);
        Assert.Equal(again.Epoch, (await node.Hears<UpFrameStored>()).Message.Epoch);
    }

    [Fact]
    public async Task While_nobody_has_the_office_the_link_stays_and_nothing_is_said_to_be_stored()
    {
        await using var rig = new LinkRig();
        var node = rig.Node(LinkRig.Leeds);
        var (welcome, link) = await node.ComeIn();
        link.Tell(new Ping(welcome.Epoch, 1), node.Ear);
        await node.Hears<Pong>();

        rig.Cluster.Stop(rig.Twins);
        link.Tell(new UpFrame(welcome.Epoch, 1, []), node.Ear);
        link.Tell(new Ping(welcome.Epoch, 2), node.Ear);

        // The answer to the ping is behind whatever might have been said of the frame.
        var next = await node.Hears<ILinkMessage>();
        Assert.Equal(2UL, Assert.IsType<Pong>(next.Message).Number);
    }

    [Fact]
    public async Task A_node_is_sent_to_another_headquarters_node()
    {
        await using var rig = new LinkRig();
        var node = rig.Node(LinkRig.Leeds);
        var (welcome, link) = await node.ComeIn();
        link.Tell(new Ping(welcome.Epoch, 1), node.Ear);
        await node.Hears<Pong>();

        await rig.Edge.Drain(TimeSpan.FromSeconds(1), CancellationToken.None);

        var goodbye = (await node.Hears<Goodbye>()).Message;
        Assert.True(goodbye.Elsewhere);
        await Assert.ThrowsAsync<IOException>(() => new TcpNetwork().Connect(rig.At.ToString(), CancellationToken.None));
    }

    [Fact]
    public async Task A_node_that_comes_back_from_where_it_was_sent_keeps_its_link_until_this_headquarters_node_stops()
    {
        await using var rig = new LinkRig();
        var (leeds, york) = (rig.Node(LinkRig.Leeds), rig.Node(LinkRig.York));
        await leeds.ComeIn();
        Assert.Equal(1, await rig.Edge.Part(10, "go home", _ => true));
        await leeds.Hears<Goodbye>();
        await leeds.ComeIn();
        await york.ComeIn();

        Assert.Equal(1, await rig.Edge.Part(10, "go home", _ => true));
        await york.Hears<Goodbye>();
        Assert.Equal(0, await rig.Edge.Part(10, "go home", _ => true));

        Assert.Equal(1, await rig.Edge.Part(10, "headquarters stops", null));
        Assert.Equal("headquarters stops", (await leeds.Hears<Goodbye>()).Message.Reason);
    }

    [Fact]
    public async Task A_node_that_is_removed_while_linked_loses_its_link_and_is_told_why()
    {
        await using var rig = new LinkRig(twins: (message, session) =>
        {
            FakeTwins.WelcomeAll(message, session);
            if (message is TakeFrame take)
                session.Tell(new OfficeRefused(take.OfficeId, RefusalCode.Removed, "node gw1.leeds was removed"));
        });
        var node = rig.Node(LinkRig.Leeds);
        var (welcome, link) = await node.ComeIn();

        link.Tell(new UpFrame(welcome.Epoch, 1, []), node.Ear);

        Assert.Equal("node gw1.leeds was removed", (await node.Hears<Goodbye>()).Message.Reason);
        await rig.TwinsGet<UnlinkNode>();
    }

    [Fact]
    public async Task More_frames_at_once_than_allowed_end_the_link()
    {
        await using var rig = new LinkRig(twins: (message, session) =>
        {
            if (message is LinkNode link)
                session.Tell(new NodeWelcomed(link.NodeId, link.Epoch, 0));
        });
        var node = rig.Node(LinkRig.Leeds);
        var (welcome, link) = await node.ComeIn();

        for (var number = 1ul; number <= UpFrame.MaxInFlight + 1; number++)
            link.Tell(new UpFrame(welcome.Epoch, number, []), node.Ear);

        Assert.Contains("frames at once", (await node.Hears<Goodbye>()).Message.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("too many items")]
    [InlineData("an envelope too large")]
    [InlineData("an empty item")]
    [InlineData("an announce too long")]
    [InlineData("too many sightings")]
    [InlineData("a sighting with parts missing")]
    [InlineData("an end of a poll without a reason")]
    public async Task Oversized_and_malformed_messages_end_the_link_and_reach_no_twin(string fault)
    {
        await using var rig = new LinkRig();
        var node = rig.Node(LinkRig.Leeds);
        var (welcome, link) = await node.ComeIn();
        var device = new DeviceId("till-1");

        link.Tell(fault switch
        {
            "too many items" => new UpFrame(welcome.Epoch, 1, [.. Enumerable.Repeat(new NodeRenewal(new byte[1]), UpFrame.MaxItems + 1)]),
            "an envelope too large" => new UpFrame(welcome.Epoch, 1, [new DeviceEnvelopeUp(device, new byte[49 * 1024], LinkRig.Leeds.Office)]),
            "an empty item" => new UpFrame(welcome.Epoch, 1, [null!]),
            "too many sightings" => new UpFrame(welcome.Epoch, 1, [new Sightings(Poll, PollMethod.IpRange, [.. Enumerable.Repeat(Printer, Sightings.Most + 1)])]),
            "a sighting with parts missing" => new UpFrame(welcome.Epoch, 1, [new Sightings(Poll, PollMethod.IpRange, [Printer with { Names = [new SeenName(NameSource.NetBios, null!)] }])]),
            "an end of a poll without a reason" => new UpFrame(welcome.Epoch, 1, [Ended with { Why = null! }]),
            _ => Announced(welcome.Epoch) with { Held = [.. Enumerable.Repeat(new HeldDesired(device, 1), Announce.MaxHeld + 1)] },
        }, node.Ear);

        await node.Hears<Goodbye>();
        await rig.TwinsGet<UnlinkNode>();
        Assert.False(rig.TwinsGot.Reader.TryRead(out _));
    }

    [Fact]
    public async Task What_a_poller_tells_reaches_the_twin()
    {
        await using var rig = new LinkRig();
        var node = rig.Node(LinkRig.Leeds);
        var (welcome, link) = await node.ComeIn();

        link.Tell(new UpFrame(welcome.Epoch, 1, [new PollProgress(Poll, PollMethod.IpRange, true, DateTimeOffset.UnixEpoch, 1, 254, 1, 9), new Sightings(Poll, PollMethod.IpRange, [Printer]), Ended]), node.Ear);

        Assert.Equal(3, (await rig.TwinsGet<TakeFrame>()).Frame.Items.Count);
    }

    [Fact]
    public async Task A_new_office_process_is_welcomed_at_once_whatever_became_of_the_old_one()
    {
        await using var rig = new LinkRig();
        for (var restart = 0; restart < 4; restart++)
        {
            var node = rig.Node(LinkRig.Leeds);
            node.SayHello();
            var (welcome, link) = await node.Hears<Welcome>(TimeSpan.FromSeconds(5));
            link.Tell(new Ping(welcome.Epoch, 1), node.Ear);
            await node.Hears<Pong>(TimeSpan.FromSeconds(5));
            // As kill -9 does: the connection breaks without a farewell.
            LinkTransport.Of(node.System).Abort(PeerIdentity.HeadquartersHost);
        }
    }

    [Fact]
    public async Task A_link_that_went_silent_works_again_within_seconds_of_an_abort()
    {
        await using var rig = new LinkRig();
        var network = new CutNetwork();
        var node = rig.Node(LinkRig.Leeds, network: network);
        var (before, link) = await node.ComeIn();

        network.Silence();
        link.Tell(new Ping(before.Epoch, 1), node.Ear);
        await Assert.ThrowsAsync<TimeoutException>(() => node.Hears<Pong>(TimeSpan.FromSeconds(1)));
        LinkTransport.Of(node.System).Abort(PeerIdentity.HeadquartersHost);
        var began = DateTimeOffset.UtcNow;
        var (after, anew) = await node.ComeIn();
        anew.Tell(new Ping(after.Epoch, 2), node.Ear);

        Assert.Equal(2ul, (await node.Hears<Pong>()).Message.Number);
        Assert.InRange(DateTimeOffset.UtcNow - began, TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_renewed_certificate_keeps_the_link_and_is_the_one_told_at_the_next()
    {
        await using var rig = new LinkRig();
        var shown = rig.Certify(PeerIdentity.Of(LinkRig.Leeds));
        var node = rig.Node(LinkRig.Leeds, certificate: () => shown);
        var (welcome, link) = await node.ComeIn();
        Assert.Equal(shown.SerialNumber, (await rig.TwinsGet<LinkNode>()).CertificateSerial);

        shown = rig.Certify(PeerIdentity.Of(LinkRig.Leeds));
        link.Tell(new Ping(welcome.Epoch, 1), node.Ear);
        await node.Hears<Pong>();
        LinkTransport.Of(node.System).Abort(PeerIdentity.HeadquartersHost);
        var (again, _) = await node.ComeIn();

        Assert.Equal(shown.SerialNumber, (await rig.TwinsGet<LinkNode>(l => l.Epoch == again.Epoch)).CertificateSerial);
    }

    private static Announce Announced(string epoch) => new(epoch, new NodeReport(0, [], [], "0.1.0", "host", DateTimeOffset.UtcNow, [], [], [], "", [], null), [], Last: true);
}
