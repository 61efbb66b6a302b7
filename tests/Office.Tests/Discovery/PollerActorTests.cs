using System.Net;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Fleet.Contracts;
using Fleet.Contracts.Envelopes;
using Fleet.Gateway;
using Fleet.Messages.Link;
using Fleet.Office.Discovery;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Office.Tests.Discovery;

/// <summary>The test is the relay; the network is a method that does what the test says.</summary>
public sealed class PollerActorTests : TestKit
{
    private static readonly PollId One = new("p-1");
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly ToldMethod _range = new();
    private readonly ToldMethod _directories = new();
    private readonly IActorRef _poller;

    public PollerActorTests()
        : base(ConfigurationFactory.ParseString("akka.scheduler.implementation = \"Akka.TestKit.TestScheduler, Akka.TestKit\"").WithFallback(DefaultConfig))
    {
        var options = new DiscoveryOptions(Jitter: 0, SkipCards: [], Ports: [22], PortTimeout: TimeSpan.FromSeconds(1), ProgressEvery: TimeSpan.FromSeconds(1), StartSpread: TimeSpan.FromSeconds(30));
        _poller = Sys.ActorOf(PollerActor.Props(new PollerSetup(options, new Dictionary<PollMethod, IPollMethod> { [PollMethod.IpRange] = _range, [PollMethod.Ldap] = _directories },
            Open, _clock), TestActor));
    }

    [Fact]
    public async Task A_poll_that_is_run_now_tells_its_progress_what_it_saw_and_how_it_ended()
    {
        Plan();
        _poller.Tell(new RunPoll(One, PollMethod.IpRange, Full: true, ["10.0.0.0/30"], AllowLarge: false));
        var run = await _range.Began();
        Assert.Equal(new PollProgress(One, PollMethod.IpRange, true, _clock.GetUtcNow(), 0, 0, 0, 0), Up<PollProgress>());

        run.ProgressIs(() => (1, 2));
        run.See(MacAddress.Parse("52:54:00:12:34:56"), [IPAddress.Parse("10.0.0.1")], [], []);
        run.CannotSee("the moon");
        _range.End();

        Assert.Equal("52:54:00:12:34:56", Assert.Single(Up<Sightings>().Seen).Mac);
        var ended = Up<PollEnded>();
        Assert.Equal((One, PollOutcome.Completed, "", 1, 1), (ended.PollId, ended.Outcome, ended.Why, ended.Probed, ended.Found));
        Assert.Equal(["the moon"], ended.CannotSee);
        Assert.Equal(("10.0.0.1", true), (run.Order.Ranges.Single().First.ToString(), run.Order.Full));
    }

    [Fact]
    public async Task Progress_and_sightings_go_up_every_second_while_they_change()
    {
        Plan();
        _poller.Tell(Run(One));
        var run = await _range.Began();
        Up<PollProgress>();

        run.ProgressIs(() => (10, 254));
        run.See(null, [IPAddress.Parse("10.0.0.1")], [], []);
        await Tick();

        Assert.Equal("10.0.0.1", Assert.Single(Up<Sightings>().Seen).Addresses.Single());
        var progress = Up<PollProgress>();
        Assert.Equal((10, 254, 1), (progress.Done, progress.Total, progress.Found));
        await Tick();
        ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public async Task Many_sightings_go_up_in_parts_that_a_frame_holds()
    {
        Plan();
        _poller.Tell(Run(One));
        var run = await _range.Began();
        Up<PollProgress>();

        for (var i = 1; i <= 120; i++)
            run.See(null, [new IPAddress([10, 0, 0, (byte)i])], [], []);
        for (var i = 1; i <= 3; i++)
            run.See(null, [new IPAddress([10, 0, 1, (byte)i])], [], Enumerable.Range(1, 32).Select(p => new SeenService(p, "tcp", new string('x', 128))));
        _range.End();

        var parts = new List<Sightings>();
        while (parts.Sum(p => p.Seen.Count) < 123)
            parts.Add(Up<Sightings>());
        Assert.All(parts, p => Assert.InRange(p.Seen.Count, 1, Sightings.Most));
        Assert.All(parts, p => Assert.InRange(p.Seen.Sum(s => s.Services.Count), 0, 64));
        Assert.Equal(123, Up<PollEnded>().Found);
    }

    [Fact]
    public async Task A_method_polls_once_at_a_time_and_methods_beside_one_another()
    {
        Plan();
        _poller.Tell(Run(One));
        await _range.Began();
        Up<PollProgress>();

        _poller.Tell(Run(new PollId("p-2")));
        _poller.Tell(new RunPoll(new PollId("p-3"), PollMethod.Ldap, Full: false, [], AllowLarge: false));

        var (first, second) = (Up<IUpItem>(), Up<IUpItem>());
        var refused = Assert.Single(new[] { first, second }.OfType<PollEnded>());
        Assert.Equal((new PollId("p-2"), PollOutcome.Refused, "poll p-1 is under way by this method"), (refused.PollId, refused.Outcome, refused.Why));
        Assert.Equal(new PollId("p-3"), Assert.Single(new[] { first, second }.OfType<PollProgress>()).PollId);
    }

    [Fact]
    public async Task A_cancelled_poll_ends_and_another_may_begin()
    {
        Plan();
        _poller.Tell(Run(One));
        await _range.Began();
        Up<PollProgress>();

        _poller.Tell(new CancelPoll(One));

        Assert.Equal(PollOutcome.Cancelled, Up<PollEnded>().Outcome);
        await Next(new PollId("p-2"));
    }

    [Fact]
    public async Task A_cancel_that_follows_at_once_ends_the_run_that_it_names()
    {
        Plan();

        foreach (var method in new[] { PollMethod.IpRange, PollMethod.Ldap })
        {
            var id = new PollId($"p-{method.ToString().ToLowerInvariant()}");
            _poller.Tell(new RunPoll(id, method, Full: false, [], AllowLarge: false));
            _poller.Tell(new CancelPoll(id));

            Assert.Equal((id, PollOutcome.Cancelled), (await End() is var ended ? ended.PollId : default, ended.Outcome));
        }
    }

    [Fact]
    public async Task A_cancel_of_a_poll_that_has_ended_does_not_end_the_next_one()
    {
        Plan();
        _poller.Tell(Run(One));
        await _range.Began();
        _range.End();
        await End();
        await Next(new PollId("p-2"));
        await _range.Began();

        _poller.Tell(new CancelPoll(One));

        Assert.Equal((One, PollOutcome.Interrupted), (await End() is var ended ? ended.PollId : default, ended.Outcome));
        _range.End();
        Assert.Equal((new PollId("p-2"), PollOutcome.Completed), (await End() is var second ? second.PollId : default, second.Outcome));
    }

    [Fact]
    public async Task A_run_that_crashes_is_told_as_failed_and_another_may_begin()
    {
        Plan(new PollSchedule(PollMethod.Ldap, Enabled: false, TimeSpan.Zero, TimeSpan.Zero, [], AllowLarge: false, [Directory("dc1", [1, 2, 3])], null, null));
        var wanted = new RunPoll(One, PollMethod.Ldap, Full: true, [], AllowLarge: false);

        _poller.Tell(wanted);

        var ended = await End();
        Assert.Equal((One, PollMethod.Ldap, true, PollOutcome.Failed, "it broke; the node's log says why"), (ended.PollId, ended.Method, ended.Full, ended.Outcome, ended.Why));
        _poller.Tell(wanted with { PollId = new PollId("p-2") });
        Assert.Equal((new PollId("p-2"), PollOutcome.Failed), (await End() is var second ? second.PollId : default, second.Outcome));
    }

    [Fact]
    public void A_poll_that_is_not_known_here_is_ended_when_it_is_cancelled()
    {
        _poller.Tell(new CancelPoll(One));

        Assert.Equal((One, PollOutcome.Interrupted), (Up<PollEnded>() is var ended ? ended.PollId : default, ended.Outcome));
    }

    [Fact]
    public async Task With_the_link_down_a_poll_is_over_and_none_begins_until_headquarters_says_so_again()
    {
        Plan();
        _poller.Tell(Run(One));
        await _range.Began();
        Up<PollProgress>();

        _poller.Tell(new LinkClosed("no pong"));
        Assert.Equal((PollOutcome.Interrupted, "the link to headquarters is down"), (Up<PollEnded>() is var ended ? ended.Outcome : default, ended.Why));
        _poller.Tell(Run(new PollId("p-2")));
        Assert.Equal(PollOutcome.Refused, Up<PollEnded>().Outcome);

        Plan();
        _poller.Tell(Run(new PollId("p-3")));
        Assert.Equal(new PollId("p-3"), Up<PollProgress>().PollId);
    }

    [Fact]
    public void A_node_that_is_not_the_poller_refuses()
    {
        _poller.Tell(new PlanCame(null));

        _poller.Tell(Run(One));

        Assert.Equal((PollOutcome.Refused, "this node is not the office's poller"), (Up<PollEnded>() is var ended ? ended.Outcome : default, ended.Why));
    }

    [Theory]
    [InlineData("10.0.0.0/8", "over a /16")]
    [InlineData("printers", "is no address range")]
    public void Wrong_ranges_are_refused_with_the_reason(string range, string why)
    {
        Plan();

        _poller.Tell(new RunPoll(One, PollMethod.IpRange, Full: false, [range], AllowLarge: false));

        var ended = Up<PollEnded>();
        Assert.Equal(PollOutcome.Refused, ended.Outcome);
        Assert.Contains(why, ended.Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_method_fails_with_is_told_and_a_broken_one_takes_nothing_along()
    {
        Plan();
        _poller.Tell(Run(One));
        await _range.Began();
        Up<PollProgress>();
        _range.Fail(new PollFailedException("no subnet is known"));
        Assert.Equal((PollOutcome.Failed, "no subnet is known"), (Up<PollEnded>() is var failed ? failed.Outcome : default, failed.Why));

        await Next(new PollId("p-2"));
        await _range.Began();
        _range.Fail(new InvalidOperationException("a bug"));

        Assert.Equal((PollOutcome.Failed, "it broke: a bug"), (Up<PollEnded>() is var broken ? broken.Outcome : default, broken.Why));
    }

    [Fact]
    public async Task A_due_poll_begins_by_itself_within_its_spread_and_the_next_after_its_interval()
    {
        Plan(new PollSchedule(PollMethod.IpRange, Enabled: true, QuickEvery: TimeSpan.Zero, FullEvery: TimeSpan.FromHours(7), ["10.0.0.0/30"], AllowLarge: false, [], null, null));
        await Settled();

        await Advance(TimeSpan.FromSeconds(30));
        var run = await _range.Began();
        Assert.Equal((true, "10.0.0.1-10.0.0.2"), (run.Order.Full, run.Order.Ranges.Single().ToString()));
        var first = Up<PollProgress>().PollId;
        _range.End();
        Up<PollEnded>();

        await Advance(TimeSpan.FromHours(6.9));
        ExpectNoMsg(TimeSpan.Zero);
        await Advance(TimeSpan.FromMinutes(7));
        Assert.NotEqual(first, Up<PollProgress>().PollId);
    }

    [Fact]
    public async Task A_poll_that_another_node_did_meanwhile_counts()
    {
        Plan(new PollSchedule(PollMethod.IpRange, Enabled: true, QuickEvery: TimeSpan.Zero, FullEvery: TimeSpan.FromHours(7), [], AllowLarge: false, [], _clock.GetUtcNow(), _clock.GetUtcNow()));
        await Settled();

        await Advance(TimeSpan.FromHours(6));

        ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public async Task A_password_that_can_not_be_read_is_told_and_the_other_directories_are_asked()
    {
        Plan(new PollSchedule(PollMethod.Ldap, Enabled: false, TimeSpan.Zero, TimeSpan.Zero, [], AllowLarge: false, [Directory("dc1", [1]), Directory("dc2", [1, 2]), Directory("dc3", [])], null, null));
        _poller.Tell(new RunPoll(One, PollMethod.Ldap, Full: false, [], AllowLarge: false));

        var run = await _directories.Began();

        Assert.Equal([("dc2", "open"), ("dc3", null)], run.Order.Directories.Select(d => (d.Source.Host, d.Password)));
        Assert.Contains("dc1:636", Assert.Single(run.Blind), StringComparison.Ordinal);
        Assert.DoesNotContain("open", string.Concat(run.Order.Directories), StringComparison.Ordinal);
    }

    /// <summary>As this node opens sealed passwords: most well, some not, and one breaks it.</summary>
    private static string Open(ReadOnlyMemory<byte> secret) => secret.Length switch
    {
        1 => throw new EnvelopeException("the sealed text is cut short"),
        3 => throw new InvalidOperationException("a bug"),
        _ => "open",
    };

    /// <summary>The next end of a poll, after whatever else it tells.</summary>
    private async Task<PollEnded> End() => (PollEnded)(await FishForMessageAsync<SendUp>(up => up.Items is [PollEnded])).Items[0];

    /// <summary>Begins another poll, as soon as the one before is over on the node too.</summary>
    private Task Next(PollId id) => AwaitConditionAsync(() =>
    {
        _poller.Tell(Run(id));
        return Task.FromResult(Up<IUpItem>() is PollProgress);
    });

    private static RunPoll Run(PollId id) => new(id, PollMethod.IpRange, Full: false, [], AllowLarge: false);

    private static DirectorySource Directory(string host, byte[] password) => new(host, 636, DirectorySecurity.Tls, "", "", "fleet", password, default);

    private void Plan(params PollSchedule[] schedules) => _poller.Tell(new PlanCame(new PollPlan(schedules, PacketsPerSecond: 1000)));

    private T Up<T>()
        where T : IUpItem => Assert.IsAssignableFrom<T>(Assert.Single(ExpectMsg<SendUp>(TimeSpan.FromSeconds(10)).Items));

    private Task Tick() => Advance(TimeSpan.FromSeconds(1));

    private async Task Advance(TimeSpan time)
    {
        await Settled();
        _clock.Advance(time);
        ((TestScheduler)Sys.Scheduler).Advance(time);
        await Settled();
    }

    /// <summary>Everything sent to the poller so far has been handled, down to the run.</summary>
    private async Task Settled()
    {
        foreach (var path in new[] { "", "/*", "/*/*" })
            try
            {
                await Sys.ActorSelection(_poller.Path + path).Ask<ActorIdentity>(new Identify(null), TimeSpan.FromSeconds(path.Length == 4 ? 0.2 : 5));
            }
            catch (AskTimeoutException)
            {
                // No run is under way.
            }
    }

    /// <summary>Looks at nothing, until it is told what came of it.</summary>
    private sealed class ToldMethod : IPollMethod
    {
        private TaskCompletionSource<PollRun> _began = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task Run(PollRun run, CancellationToken stop)
        {
            var end = _end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _began.SetResult(run);
            await end.Task.WaitAsync(stop);
        }

        public async Task<PollRun> Began()
        {
            var run = await _began.Task.WaitAsync(TimeSpan.FromSeconds(10));
            _began = new TaskCompletionSource<PollRun>(TaskCreationOptions.RunContinuationsAsynchronously);
            return run;
        }

        public void End() => _end.SetResult();

        public void Fail(Exception fault) => _end.SetException(fault);
    }
}
