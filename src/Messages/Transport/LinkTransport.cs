using System.Collections.Concurrent;
using System.Net;
using System.Security.Authentication;
using Akka.Actor;
using Akka.Configuration;
using Akka.Event;
using Akka.Remote.Transport;
using Google.Protobuf;

namespace Fleet.Messages.Transport;

/// <summary>
/// Akka.Remote over mutual TLS (decision 0002). Binds the name that an association claims to the certificate of its connection before Akka
/// registers it, so nobody can take another's address; a handshake that fails ends that association and nothing else; the own certificate is
/// asked anew for each connection. What HOCON can't carry comes as <see cref="LinkTransportSetup"/>, limits from <c>akka.remote.fleet-link</c>.
/// </summary>
public sealed class LinkTransport : Akka.Remote.Transport.Transport
{
    /// <summary>Makes addresses read <c>akka.tls://…</c>.</summary>
    public const string Scheme = "tls";

    private static readonly TimeSpan AcceptRetry = TimeSpan.FromMilliseconds(200);

    private readonly LinkTransportSetup _setup;
    private readonly LinkLimits _limits;
    private readonly LinkTls _tls;
    private readonly PeerLimits? _peerLimits;
    private readonly ILoggingAdapter _log;
    private readonly Address _address;
    private readonly SemaphoreSlim _handshakes;
    private readonly CancellationTokenSource _shutdown = new();
    private readonly CancellationTokenSource _stopAccepting = new();
    // Two headquarters nodes may dial each other at the same moment: each way has a place of its own, or either would end the other's.
    private readonly ConcurrentDictionary<string, LinkConnection> _dialled = new();
    private readonly ConcurrentDictionary<string, LinkConnection> _accepted = new();
    private readonly TaskCompletionSource<IAssociationEventListener> _akka = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IByteListener? _listener;

    /// <summary>Called by Akka.Remote through reflection.</summary>
    public LinkTransport(ActorSystem system, Config config)
    {
        (System, Config, SchemeIdentifier) = (system, config, Scheme);
        _setup = system.Settings.Setup.Get<LinkTransportSetup>() is { HasValue: true } setup
            ? setup.Value
            : throw new ConfigurationException($"actor system {system.Name} was made without a {nameof(LinkTransportSetup)}");
        _limits = LinkLimits.From(config);
        _tls = new LinkTls(_setup.Certificate, _setup.Trust, _setup.Admit);
        _peerLimits = _setup.Reachable is { } reachable ? new PeerLimits(reachable) : null;
        _log = Logging.GetLogger(system, typeof(LinkTransport));
        _address = new Address(Scheme, system.Name, _setup.LogicalHost, _limits.AnnouncedPort);
        _handshakes = new SemaphoreSlim(_limits.MaximumHandshakes);
        MaximumPayloadBytes = _limits.MaximumFrame;
        system.WithExtension<LinkTransportHolder, LinkTransportHolderProvider>().Transport = this;
    }

    /// <summary>Where this side really listens; null where nothing does.</summary>
    public IPEndPoint? ListensAt => _listener?.Local;

    /// <summary>The transport of an actor system that was made with one.</summary>
    public static LinkTransport Of(ActorSystem system) =>
        system.WithExtension<LinkTransportHolder, LinkTransportHolderProvider>().Transport
            ?? throw new InvalidOperationException($"actor system {system.Name} has no {nameof(LinkTransport)}");

    /// <summary>The serial number of the certificate that a peer showed last; null where it is not connected.</summary>
    public string? CertificateSerial(string logicalHost) => ConnectionsOf(logicalHost).FirstOrDefault()?.CertificateSerial;

    /// <summary>Ends the associations with a peer at once, as if their connections had broken; the next message dials anew.</summary>
    public void Abort(string logicalHost)
    {
        foreach (var connection in ConnectionsOf(logicalHost))
            connection.Abort();
    }

    /// <summary>Takes no more connections; those that are open stay.</summary>
    public async Task StopListening()
    {
        await _stopAccepting.CancelAsync();
        if (_listener is not null)
            await _listener.DisposeAsync();
    }

    public override Task<(Address, TaskCompletionSource<IAssociationEventListener>)> Listen()
    {
        try
        {
            if (_setup.ListenAt is { } at)
            {
                _listener = _setup.Network.Listen(at);
                _ = AcceptLoop(_listener);
            }

            return Task.FromResult((_address, _akka));
        }
        catch (IOException fault)
        {
            // Thrown from here it would leave Akka's start waiting for ever; in the task it ends the start with this reason.
            return Task.FromException<(Address, TaskCompletionSource<IAssociationEventListener>)>(fault);
        }
    }

    public override bool IsResponsibleFor(Address remote) => true;

    public override async Task<AssociationHandle> Associate(Address remoteAddress)
    {
        var host = remoteAddress.Host ?? "";
        if (_setup.Dial(host) is not { Count: > 0 } ways)
            return OverItsOwn(host, remoteAddress) ?? throw Unreachable($"{host} is not dialled from here; it has to dial");
        var faults = new List<string>();
        foreach (var way in ways)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(_shutdown.Token);
            patience.CancelAfter(_limits.ConnectTimeout);
            try
            {
                var raw = await way.Open(patience.Token);
                var authenticated = await _tls.AsClient(raw, host, patience.Token);
                var connection = Register(_dialled, new LinkConnection(authenticated, _address, _limits, Judge, Oversized));
                var association = connection.Dialled(remoteAddress);
                connection.Start(Opened);
                return association;
            }
            catch (Exception fault) when (IsPassing(fault))
            {
                faults.Add(fault is OperationCanceledException ? $"{way.Name}: no answer within {_limits.ConnectTimeout.TotalSeconds:0.#} s" : $"{way.Name}: {fault.Message}");
            }
        }

        throw Unreachable(string.Join("; ", faults));
    }

    public override async Task<bool> Shutdown()
    {
        await _shutdown.CancelAsync();
        await StopListening();
        // Goodbyes may still wait to be sent.
        await Task.WhenAll(_dialled.Values.Concat(_accepted.Values).Select(c => c.Part()));
        return true;
    }

    /// <summary>An association to a side that has dialled this one, over that side's connection.</summary>
    private LinkAssociation? OverItsOwn(string host, Address remote) =>
        _accepted.GetValueOrDefault(host)?.Open(remote);

    private IEnumerable<LinkConnection> ConnectionsOf(string host) =>
        new[] { _accepted.GetValueOrDefault(host), _dialled.GetValueOrDefault(host) }.OfType<LinkConnection>();

    /// <summary>The side that this one dialled opens an association over the same connection.</summary>
    private bool Opened(LinkConnection connection, ushort channel, ByteString first)
    {
        if (!_akka.Task.IsCompletedSuccessfully || AkkaPdu.ClaimedHost(first.Span) != connection.Peer.LogicalHost)
            return false;
        return Present(connection, channel, first);
    }

    private bool Present(LinkConnection connection, ushort channel, ByteString first)
    {
        // A name for Akka's logs; the association's own address comes with the handshake.
        if (connection.Add(channel, new Address(Scheme, "peer", connection.Peer.LogicalHost, channel)) is not { } association)
            return false;
        _akka.Task.Result.Notify(new InboundAssociation(association));
        association.Deliver(first);
        return true;
    }

    private async Task AcceptLoop(IByteListener listener)
    {
        try
        {
            await _akka.Task.WaitAsync(_shutdown.Token);
            while (true)
            {
                // A connection without a handshake holds a place until its time is over; further ones wait in the system's queue.
                await _handshakes.WaitAsync(_shutdown.Token);
                try
                {
                    var (stream, from) = await listener.Accept(_stopAccepting.Token);
                    _ = Admit(stream, from.ToString());
                }
                catch (IOException fault)
                {
                    _handshakes.Release();
                    _log.Warning("Link can't accept a connection, tries on: {Problem}", fault.Message);
                    await Task.Delay(AcceptRetry, _shutdown.Token);
                }
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException)
        {
            // Shutdown.
        }
    }

    /// <summary>Takes a stream as if its other side had dialled this one. For streams that this side itself had to open.</summary>
    /// <returns>Done when the connection is over; at once where it is refused or comes to nothing, which the log tells.</returns>
    public async Task Serve(Stream raw, string from)
    {
        await _handshakes.WaitAsync(_shutdown.Token);
        if (await Admit(raw, from) is { } connection)
            await connection.Over;
    }

    private async Task<LinkConnection?> Admit(Stream raw, string from)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_shutdown.Token);
        patience.CancelAfter(_limits.ConnectTimeout);
        try
        {
            var authenticated = await _tls.AsServer(raw, patience.Token);
            var (stream, peer, _) = authenticated;
            try
            {
                var (channel, first) = await LinkConnection.ReadFrame(stream, _limits.WireFrame, patience.Token);
                var claimed = AkkaPdu.ClaimedHost(first.Span);
                if (claimed != peer.LogicalHost || channel != LinkConnection.DiallersChannel)
                    throw new PeerRefusedException($"the certificate of {peer} claims to be {Shown(claimed)}");
                var connection = Register(_accepted, new LinkConnection(authenticated, _address, _limits, Judge, Oversized));
                Present(connection, channel, first);
                connection.Start(accept: null);
                return connection;
            }
            catch
            {
                await stream.DisposeAsync();
                throw;
            }
        }
        catch (PeerRefusedException refused)
        {
            _log.Warning("Link from {Address} refused: {Problem}", from, refused.Message);
        }
        catch (Exception fault) when (IsPassing(fault))
        {
            // Port scanners and broken connections: not worth more than a line for those who look.
            _log.Debug("Link from {Address} came to nothing: {Problem}", from, fault.Message);
        }
        catch (Exception bug)
        {
            // Nobody awaits this task: without the line the fault would be unseen. The listener goes on.
            _log.Error(bug, "Link from {Address} failed", from);
        }
        finally
        {
            _handshakes.Release();
        }

        return null;
    }

    private bool Judge(LinkConnection connection, ByteString frame)
    {
        if (_peerLimits?.Violation(frame, connection.Peer.LogicalHost) is not { } violation)
            return true;
        _log.Warning("Link of {Peer} dropped: it {Violation}", connection.Peer, violation);
        return false;
    }

    private void Oversized(LinkConnection connection, string problem) => _log.Warning("Link of {Peer} dropped: it sent {Problem}", connection.Peer, problem);

    /// <summary>Of a peer's connections the newest counts: it dialled anew because the one before is dead, which this side may not know yet.</summary>
    private static LinkConnection Register(ConcurrentDictionary<string, LinkConnection> connections, LinkConnection connection)
    {
        var host = connection.Peer.LogicalHost;
        LinkConnection? before = null;
        connections.AddOrUpdate(host, connection, (_, known) =>
        {
            before = known;
            return connection;
        });
        before?.Abort();
        connection.Closed.UnsafeRegister(_ => connections.TryRemove(KeyValuePair.Create(host, connection)), null);
        return connection;
    }

    private static InvalidAssociationException Unreachable(string why) => new(why);

    private static bool IsPassing(Exception fault) =>
        fault is IOException or AuthenticationException or OperationCanceledException or ObjectDisposedException;

    private static string Shown(string? claimed) => claimed is null ? "nobody" : claimed.Length <= 80 ? claimed : claimed[..80] + "…";
}

/// <summary>Finds a system's transport, which Akka.Remote makes by itself.</summary>
internal sealed class LinkTransportHolder : IExtension
{
    public LinkTransport? Transport { get; set; }
}

internal sealed class LinkTransportHolderProvider : ExtensionIdProvider<LinkTransportHolder>
{
    public override LinkTransportHolder CreateExtension(ExtendedActorSystem system) => new();
}
