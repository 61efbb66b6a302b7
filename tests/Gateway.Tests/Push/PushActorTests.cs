using System.Threading.Channels;
using Akka.Actor;
using Akka.TestKit.Xunit2;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Gateway.Push;
using Fleet.Messages.Link;
using Microsoft.Extensions.Time.Testing;
using static Fleet.Gateway.Tests.TestFleet;

namespace Fleet.Gateway.Tests.Push;

public sealed class PushActorTests : TestKit
{
    private static readonly byte[] Signal = [.. "FWK1"u8, .. new byte[28]];

    private readonly IActorRef _push;

    public PushActorTests()
    {
        _push = Sys.ActorOf(PushActor.Props(TestActor, new FakeTimeProvider()));
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

    private Channel<PushItem> Open(DeviceId device)
    {
        var items = Channel.CreateBounded<PushItem>(PushActor.LineCapacity);
        _push.Tell(new OpenLine(device, Leeds, items.Writer));
        return items;
    }

    private DeviceLine Told() => ((LinesDigest)ExpectMsg<SendUp>().Items.Single()).Lines.Single();
}
