using System.Security.Authentication;
using Akka.Actor;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Headquarters.Offices;
using Fleet.Messages.Offices;
using Fleet.Messages.Transport;
using LinkOptions = Fleet.Messages.Transport.LinkOptions;

namespace Fleet.Headquarters.Links;

/// <param name="Serve">Takes a stream as if its other side had dialled; done when it is over.</param>
/// <param name="Offices">The shard region of the office twins, which are told what goes wrong.</param>
internal sealed record DmzTools(IByteNetwork Network, Passages Passages, Func<Stream, string, Task> Serve, IActorRef Offices, LinkOptions Link, TimeProvider Clock);

/// <summary>
/// Keeps one unused stream open to the link port of a node in a DMZ (decision 0003). The node uses it for its own link or for one that passes through
/// it, as a client like any other; then the next is opened. A failure backs off over the whole wait. Child of <see cref="DmzDials"/>; stops when the
/// node is no longer to be dialled.
/// </summary>
internal sealed class DmzDial : ReceiveActor, IWithTimers
{
    /// <summary>An unused stream is opened anew after this long: what lies between may forget a quiet one.</summary>
    private static readonly TimeSpan UnusedFor = TimeSpan.FromMinutes(1);

    /// <summary>A stream that was over sooner did not serve: the next is not opened at once.</summary>
    private static readonly TimeSpan Lasting = TimeSpan.FromSeconds(10);

    /// <summary>Problems that take turns are told this seldom.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(20);

    /// <summary>The node's own link, and those that pass through it.</summary>
    private const int MaxStreams = 128;

    private readonly DmzTools _tools;
    private readonly Backoff _backoff;
    private readonly NodeId _node;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly CancellationTokenSource _stop = new();
    private string _address;
    private int _attempt;
    private int _failures;
    private int _streams;
    private string _told = "";
    private DateTimeOffset _toldAt;

    public DmzDial(DialNode dial, DmzTools tools)
    {
        (_node, _address, _tools, _backoff) = (dial.NodeId, dial.Address!, tools, new Backoff(tools.Link.MinBackoff));

        Receive<DialNode>(Handle);
        Receive<DialDue>(_ => Dial());
        Receive<Opened>(Handle);
        Receive<Failed>(failed => failed.Attempt == _attempt, Handle);
        Receive<Failed>(_ => { });
        Receive<Over>(Handle);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(DialNode dial, DmzTools tools) => Akka.Actor.Props.Create(() => new DmzDial(dial, tools));

    protected override void PreStart() => Dial();

    protected override void PostStop() => _stop.Cancel();

    private void Handle(DialNode dial)
    {
        if (dial.Address is not { } address)
        {
            Context.Stop(Self);
            return;
        }

        if (address == _address)
            return;
        (_address, _failures, _told, _toldAt) = (address, 0, "", default);
        Dial();
    }

    private void Dial()
    {
        var (attempt, address) = (++_attempt, _address);
        Open(address, attempt).PipeTo(Self, failure: fault => new Failed(attempt, fault.Message));
    }

    /// <summary>Opens a stream and waits until the node wants it.</summary>
    private async Task<object> Open(string address, int attempt)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        patience.CancelAfter(_tools.Link.ConnectTimeout);
        try
        {
            var raw = await _tools.Network.Connect(address, patience.Token);
            var knock = await _tools.Passages.Knock(raw, PeerIdentity.Of(_node).LogicalHost, [], patience.Token);
            patience.CancelAfter(UnusedFor);
            return await Granted(knock, patience.Token) ? new Opened(attempt, knock.Stream) : new Failed(attempt, null);
        }
        catch (OperationCanceledException)
        {
            return new Failed(attempt, $"{address}: no answer within {_tools.Link.ConnectTimeout.TotalSeconds:0.#} s");
        }
        catch (Exception fault) when (fault is IOException or AuthenticationException or ObjectDisposedException)
        {
            return new Failed(attempt, $"{address}: {fault.Message}");
        }
    }

    private static async Task<bool> Granted(Knock knock, CancellationToken unused)
    {
        try
        {
            await knock.Answer(unused);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private void Handle(Opened opened)
    {
        _streams++;
        var began = _tools.Clock.GetTimestamp();
        _tools.Serve(opened.Stream, $"{_node} at {_address}").PipeTo(Self,
            success: () => new Over(_tools.Clock.GetElapsedTime(began)), failure: _ => new Over(_tools.Clock.GetElapsedTime(began)));
        if (opened.Attempt == _attempt && _streams < MaxStreams)
            Dial();
    }

    private void Handle(Failed failed)
    {
        if (failed.Problem is not { } problem)
        {
            // It answered, and did not need the stream: all is well.
            (_failures, _told, _toldAt) = (0, "", default);
            Dial();
            return;
        }

        Tell($"headquarters dials it in vain: {problem}");
        Again();
    }

    private void Handle(Over over)
    {
        _streams--;
        if (over.Lasted >= Lasting)
            _failures = 0;
        else
            _failures++;
        if (_streams == MaxStreams - 1)
            Again();
    }

    private void Again()
    {
        _failures++;
        Timers.StartSingleTimer(DialDue.Instance, DialDue.Instance, _backoff.AfterFailures(_failures, _tools.Link.MaxBackoff, TimeSpan.Zero, Random.Shared));
    }

    // The log tells each change, the twin (which journals changes alone) is told again and again: at first it may take the node for linked still.
    private void Tell(string problem)
    {
        var now = _tools.Clock.GetUtcNow();
        if (problem != _told)
        {
            if (now - _toldAt < Settled)
                return;
            (_told, _toldAt) = (problem, now);
            _log.Warning("Node {NodeId} is out of reach: {Problem}", _node, problem);
        }

        _tools.Offices.Tell(new NodeNotDialled(_node.Office, _node, problem));
    }

    private sealed record Opened(int Attempt, Stream Stream);

    /// <param name="Problem">Null: the stream was not needed.</param>
    private sealed record Failed(int Attempt, string? Problem);

    private sealed record Over(TimeSpan Lasted);

    private sealed record DialDue
    {
        public static DialDue Instance { get; } = new();
    }
}
