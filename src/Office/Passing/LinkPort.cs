using System.Net;
using System.Security.Authentication;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Messages.Transport;
using Fleet.Office.Identity;
using Microsoft.Extensions.Logging;

namespace Fleet.Office.Passing;

/// <param name="Network">Where to listen.</param>
/// <param name="Patience">Longest wait for a handshake, and for a way on.</param>
public sealed record LinkPortSetup(
    NodeId Node, LinkPortOptions Options, NodeCredentials Credentials, HeadquartersWays Ways, IByteNetwork Network, TimeSpan Patience, TimeProvider Clock, ILogger Log);

/// <summary>
/// The open port for links (decision 0003). Nodes of the same office that headquarters named hand in their links here, and the node passes them on the
/// way its own goes, unread; headquarters itself dials here where the node stands in a DMZ. Everybody else is refused.
/// </summary>
public sealed partial class LinkPort : IAsyncDisposable
{
    /// <summary>Connections inside their handshake at a time; further ones wait.</summary>
    private const int MaxHandshakes = 32;

    /// <summary>Both ends of a link ping every few seconds: who is silent for this long is gone without a word.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan AcceptRetry = TimeSpan.FromMilliseconds(200);

    private readonly LinkPortSetup _setup;
    private readonly IByteListener _listener;
    private readonly Passages _passages;
    private readonly SemaphoreSlim _handshakes = new(MaxHandshakes);
    private readonly CancellationTokenSource _stop = new();
    private readonly ILogger _log;
    private int _carried;
    private int _refused;
    private long _refusedToldAt;

    private LinkPort(LinkPortSetup setup)
    {
        (_setup, _log) = (setup, setup.Log);
        _passages = new Passages(() => setup.Credentials.Certificate, setup.Credentials.Trust,
            peer => peer.Kind == PeerKind.Headquarters || HeadquartersWays.IsOther(peer, setup.Node) ? null : $"only headquarters and other nodes of office {setup.Node.Office} come in here");
        _listener = setup.Network.Listen(new IPEndPoint(setup.Options.Bind, setup.Options.Port));
        _ = AcceptLoop();
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Local => _listener.Local;

    /// <exception cref="IOException">The port is in use or may not be used; the message names it and its setting.</exception>
    public static LinkPort Open(LinkPortSetup setup)
    {
        try
        {
            return new LinkPort(setup);
        }
        catch (IOException fault)
        {
            throw new IOException($"the port for links can't be opened: {fault.Message}; set fleet.office.links.port or fleet.office.links.bind to another", fault);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _listener.DisposeAsync();
    }

    private async Task AcceptLoop()
    {
        try
        {
            while (true)
            {
                await _handshakes.WaitAsync(_stop.Token);
                try
                {
                    var (stream, from) = await _listener.Accept(_stop.Token);
                    _ = Admit(stream, from);
                }
                catch (IOException fault)
                {
                    _handshakes.Release();
                    LogAccept(fault.Message);
                    await Task.Delay(AcceptRetry, _setup.Clock, _stop.Token);
                }
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    private async Task Admit(Stream raw, IPEndPoint from)
    {
        Passage passage;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        patience.CancelAfter(_setup.Patience);
        try
        {
            passage = await _passages.Take(raw, patience.Token);
        }
        catch (Exception fault) when (IsPassing(fault))
        {
            await raw.DisposeAsync();
            TellRefused(from.ToString(), fault.Message);
            return;
        }
        finally
        {
            _handshakes.Release();
        }

        try
        {
            if (Refusal(passage) is { } problem)
            {
                TellRefused(passage.Peer.ToString(), problem);
                await passage.Refuse(problem, patience.Token);
            }
            else if (passage.Peer.Kind == PeerKind.Headquarters)
            {
                _setup.Ways.Add(passage);
            }
            else
            {
                await Carry(passage, patience);
            }
        }
        catch (Exception fault) when (IsPassing(fault))
        {
            await passage.Stream.DisposeAsync();
            LogFailed(passage.Peer, fault.Message);
        }
    }

    private string? Refusal(Passage passage)
    {
        var own = _setup.Node;
        if (passage.Peer.Kind == PeerKind.Headquarters)
            return _setup.Options.Dmz ? null : $"node {own} does not wait for headquarters to dial; set fleet.office.links.dmz = on there";
        if (passage.Path.Count == 0 || passage.Path[^1] != passage.Peer.Id)
            return "the path does not end with who asks";
        if (passage.Path.Contains(own.Value))
            return $"links would go round: {string.Join(" → ", [.. passage.Path, own.Value])}";
        if (passage.Path.Count > Passages.MaxHops)
            return $"a link passes through {Passages.MaxHops} nodes at most: {string.Join(" → ", [.. passage.Path, own.Value])}";
        if (!_setup.Ways.Carries.Any(n => n.Value == passage.Peer.Id))
            return $"headquarters has not said that links of {passage.Peer.Id} pass through {own}; 'fleet node set {passage.Peer.Id} --through {own}' does";
        return Volatile.Read(ref _carried) >= _setup.Options.MaxCarried ? $"{_setup.Options.MaxCarried} links pass through {own} already" : null;
    }

    private async Task Carry(Passage passage, CancellationTokenSource patience)
    {
        Stream on;
        try
        {
            on = await _setup.Ways.Open([.. passage.Path, _setup.Node.Value], patience.Token);
        }
        catch (IOException fault)
        {
            LogFailed(passage.Peer, fault.Message);
            await passage.Refuse($"{_setup.Node} has no way to headquarters: {fault.Message}", patience.Token);
            return;
        }

        Interlocked.Increment(ref _carried);
        LogCarried(passage.Path[0], passage.Peer);
        try
        {
            await passage.Grant(patience.Token);
            patience.CancelAfter(Timeout.InfiniteTimeSpan);
            var (up, down) = await Splice.Run(passage.Stream, on, Idle, _setup.Clock, patience.Token);
            LogOver(passage.Path[0], up, down);
        }
        finally
        {
            Interlocked.Decrement(ref _carried);
            await on.DisposeAsync();
        }
    }

    private static bool IsPassing(Exception fault) => fault is IOException or AuthenticationException or OperationCanceledException or ObjectDisposedException;

    /// <summary>A stranger must not fill the log: one line a second, with how many it stands for.</summary>
    private void TellRefused(string from, string problem)
    {
        var refused = Interlocked.Increment(ref _refused);
        var (now, last) = (_setup.Clock.GetTimestamp(), Interlocked.Read(ref _refusedToldAt));
        if ((last != 0 && _setup.Clock.GetElapsedTime(last, now) < TellEvery) || Interlocked.CompareExchange(ref _refusedToldAt, now, last) != last)
            return;
        Interlocked.Add(ref _refused, -refused);
        LogRefused(from, problem, refused - 1);
    }

    [LoggerMessage(LogLevel.Warning, "the port for links can't accept a connection, tries on: {Problem}")]
    private partial void LogAccept(string problem);

    [LoggerMessage(LogLevel.Warning, "the port for links refused {From} ({Others} others before): {Problem}")]
    private partial void LogRefused(string from, string problem, int others);

    [LoggerMessage(LogLevel.Warning, "a link that {Peer} handed in could not be passed on: {Problem}")]
    private partial void LogFailed(PeerIdentity peer, string problem);

    [LoggerMessage(LogLevel.Information, "the link of {Origin} passes through here, handed in by {Peer}")]
    private partial void LogCarried(string origin, PeerIdentity peer);

    [LoggerMessage(LogLevel.Information, "the link of {Origin} no longer passes through here: {Up} bytes up, {Down} down")]
    private partial void LogOver(string origin, long up, long down);
}
