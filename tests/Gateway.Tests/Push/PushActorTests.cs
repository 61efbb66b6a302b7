using System.Threading.Channels;
using Akka.Actor;
using Akka.TestKit.Xunit2;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Gateway.Push;
using Fleet.Messages.Admission;
using Fleet.Messages.Link;
using Microsoft.Extensions.Time.Testing;
using static Fleet.Gateway.Tests.TestFleet;

namespace Fleet.Gateway.Tests.Push;

public sealed class PushActorTests : TestKit
{
    private static readonly byte[] Signal = [.. "FWK1"u8, .. new byte[28]];

    private readonly FakeTimeProvider _clock = new();
    private readonly IActorRef _push;

    public PushActorTests()
    {
        _push = Sys.ActorOf(PushActor.Props(TestActor, new AgentLoad(returnsPerSecond: 1000, new LoadMeter(TimeProvider.System, () => TimeSpan.Zero)), _clock));
        _push.Tell(new UplinkChanged(Up: true, Epoch));
    }

    [Fact]
    public async Task A_line_is_told_to_headquarters_and_to_the_device()
    {
        var line = Open(Till);

        Assert.Equal((Till, LineEnd.None, Leeds), Told() is var told ? (told.DeviceId, told.End, told.OfficeHint) : default);
        Assert.True((await line.Reader.ReadAsync()).Wake.IsEmpty);
    }

    [Fact]
    public async Task A_wake_signal_goes_to_the_line_of_its_device_as_it_is()
    {
        var line = Open(Till);
        await line.Reader.ReadAsync();

        _push.Tell(new WakeDevice(Till, Signal, WakeChannel.OfficePush, [], Leeds));

        Assert.Equal(Signal, (await line.Reader.ReadAsync()).Wake.ToByteArray());
    }

    [Fact]
    public void A_device_without_a_line_is_a_failure_at_once()
    {
        _push.Tell(new WakeDevice(Till, Signal, WakeChannel.OfficePush, [], Leeds));

        var failed = Assert.IsType<WakeFailed>(ExpectMsg<SendUp>().Items.Single());
        Assert.Equal((Till, WakeChannel.OfficePush, Leeds), (failed.DeviceId, failed.Channel, failed.OfficeHint));
    }

    [Fact]
    public async Task A_newer_line_ends_the_older_whose_end_then_says_nothing()
    {
        var older = Open(Till);
        Told();
        await older.Reader.ReadAsync();
        Open(Till);
        Told();

        _push.Tell(new CloseLine(Till, older.Writer));

        await older.Reader.Completion.WaitAsync(TimeSpan.FromSeconds(5));
        ExpectNoMsg(TimeSpan.FromMilliseconds(50));
    }

    [Fact]
    public void An_end_is_told()
    {
        var line = Open(Till);
        Told();

        _push.Tell(new CloseLine(Till, line.Writer));

        Assert.Equal(LineEnd.Lost, Told().End);
    }

    [Fact]
    public void A_new_epoch_hears_of_all_lines_in_digests_of_bounded_size()
    {
        _push.Tell(new UplinkChanged(Up: false, ""));
        foreach (var n in Enumerable.Range(0, 1200))
            Open(new DeviceId($"till-{n}"));

        _push.Tell(new UplinkChanged(Up: true, "epoch-2"));

        var digests = ExpectMsg<SendUp>().Items.Cast<LinesDigest>().ToList();
        Assert.Equal(1200, digests.SelectMany(d => d.Lines).Select(l => l.DeviceId).Distinct().Count());
        Assert.All(digests, d => Assert.InRange(d.Lines.Count, 1, 500));
    }

    [Fact]
    public void An_office_that_began_anew_hears_of_its_own_lines()
    {
        Open(Till);
        Told();
        _push.Tell(new OpenLine(new DeviceId("york-till"), new OfficeId("york"), Channel.CreateBounded<PushItem>(PushActor.LineCapacity).Writer));
        Told();

        _push.Tell(new TellLines(Leeds));

        Assert.Equal((Till, LineEnd.None), Told() is var told ? (told.DeviceId, told.End) : default);
    }

    [Fact]
    public async Task A_device_that_reads_nothing_costs_no_more_than_its_few_items()
    {
        var line = Open(Till);
        Told();
        for (var n = 0; n < 100; n++)
            _push.Tell(new WakeDevice(Till, Signal, WakeChannel.OfficePush, [], Leeds));
        _push.Tell(new CloseLine(Till, line.Writer));
        Told();
        line.Writer.TryComplete();

        Assert.InRange(await line.Reader.ReadAllAsync().CountAsync(), 1, PushActor.LineCapacity);
    }

    [Fact]
    public async Task The_more_lines_the_longer_they_are_asked_to_take_to_come_back_and_headquarters_hears_how_long_that_may_be()
    {
        var push = Sys.ActorOf(PushActor.Props(TestActor, new AgentLoad(returnsPerSecond: 10, new LoadMeter(TimeProvider.System, () => TimeSpan.Zero)), _clock));
        push.Tell(new UplinkChanged(Up: true, Epoch));
        var first = Open(Till, push);
        Assert.Null((await first.Reader.ReadAsync()).ReturnWithin);
        for (var n = 0; n < 99; n++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            await Open(new DeviceId($"till-{n + 2}"), push).Reader.ReadAsync();
        }

        var told = new List<double>();
        while (told.LastOrDefault() < 20)
            told.Add((await first.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(5))).ReturnWithin.ToTimeSpan().TotalSeconds);
        push.Tell(new CloseLine(Till, first.Writer));

        // Four times its number over the rate; told when it has doubled: at 26 lines, and at 52.
        Assert.Equal([10.4, 20.8], told);
        var end = FishForMessage<SendUp>(up => up.Items.OfType<LinesDigest>().Any(d => d.Lines.Any(l => l.End == LineEnd.Lost)));
        Assert.Equal(20.8, end.Items.OfType<LinesDigest>().SelectMany(d => d.Lines).Single(l => l.End == LineEnd.Lost).ReturnWithin.TotalSeconds);
    }

    [Fact]
    public async Task When_lines_have_ended_those_that_stay_are_asked_to_take_less_time_and_headquarters_hears_what_each_was_told()
    {
        var push = Sys.ActorOf(PushActor.Props(TestActor, new AgentLoad(returnsPerSecond: 10, new LoadMeter(TimeProvider.System, () => TimeSpan.Zero)), _clock));
        push.Tell(new UplinkChanged(Up: true, Epoch));
        var lines = new List<(DeviceId Device, Channel<PushItem> Items)>();
        for (var n = 0; n < 52; n++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            lines.Add((new DeviceId($"till-{n}"), Open(new DeviceId($"till-{n}"), push)));
            await lines[n].Items.Reader.ReadAsync();
        }

        foreach (var (device, items) in lines.Skip(1))
            push.Tell(new CloseLine(device, items.Writer));
        push.Tell(new CloseLine(lines[0].Device, lines[0].Items.Writer));

        // 26 lines, 52, and down again.
        var told = await lines[0].Items.Reader.ReadAllAsync().Take(4).Select(i => i.ReturnWithin.ToTimeSpan().TotalSeconds).ToListAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal([10.4, 20.8, 10.4, 0], told);
        var ends = new List<DeviceLine>();
        while (ends.Count < 52)
            ends.AddRange(ExpectMsg<SendUp>().Items.OfType<LinesDigest>().SelectMany(d => d.Lines).Where(l => l.End == LineEnd.Lost));
        Assert.Equal(20.8, ends.Single(l => l.DeviceId == lines[1].Device).ReturnWithin.TotalSeconds);
        Assert.Equal(TimeSpan.Zero, ends.Single(l => l.DeviceId == lines[0].Device).ReturnWithin);
    }

    [Fact]
    public async Task Of_a_crowd_some_are_let_in_and_each_of_the_others_is_told_a_wait_of_its_own()
    {
        var push = Sys.ActorOf(PushActor.Props(TestActor, new AgentLoad(returnsPerSecond: 10, new LoadMeter(TimeProvider.System, () => TimeSpan.Zero)), _clock));
        var lines = Enumerable.Range(0, 500).Select(n => Open(new DeviceId($"till-{n}"), push)).ToList();

        var waits = new List<TimeSpan>();
        foreach (var line in lines)
            if (!await line.Reader.WaitToReadAsync().AsTask().ContinueWith(waiting => waiting.IsCompletedSuccessfully && waiting.Result))
                waits.Add(Assert.IsType<LineRefusedException>((await Assert.ThrowsAnyAsync<Exception>(() => line.Reader.Completion))).RetryAfter);

        Assert.Equal(480, waits.Count);
        Assert.InRange(waits.Max(), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(120));
        Assert.True(waits.Distinct().Count() > 450);
    }

    private Channel<PushItem> Open(DeviceId device) => Open(device, _push);

    private static Channel<PushItem> Open(DeviceId device, IActorRef push)
    {
        var items = Channel.CreateBounded<PushItem>(PushActor.LineCapacity);
        push.Tell(new OpenLine(device, Leeds, items.Writer));
        return items;
    }

    private DeviceLine Told() => ((LinesDigest)ExpectMsg<SendUp>().Items.Single()).Lines.Single();
}
