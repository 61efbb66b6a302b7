using System.Globalization;
using System.Runtime.Serialization;
using System.Security.Authentication;
using Akka.Actor;
using Akka.Remote.Transport;
using Fleet.Contracts.Identity;
using Fleet.Messages.Link;
using Fleet.Messages.Transport;
using Google.Protobuf;

namespace Fleet.Swarm.Wire;

/// <summary>
/// One office node's connection to headquarters, as an actor system would make it: the same TLS and framing (<see cref="LinkConnection"/>), with Akka's
/// associations spoken by hand. A thousand cost what a few actor systems do. Hears on the connection's own thread.
/// </summary>
internal sealed class RawLink
{
    private const string Root = "akka.tls://edge@headquarters.fleet:13001/";

    private static readonly string[] Door = LinkHocon.DoorPath.Split('/', StringSplitOptions.RemoveEmptyEntries);
    private static readonly Address Headquarters = new(LinkTransport.Scheme, "edge", PeerIdentity.HeadquartersHost, LinkHocon.EdgePort);

    private readonly Lock _gate = new();
    private readonly LinkConnection _connection;
    private readonly RawNode _node;
    private readonly Action<RawLink, object, string> _heard;
    private readonly List<LinkAssociation> _open = [];
    private readonly List<ByteString> _early = [];
    private bool _associated;

    private RawLink(LinkConnection connection, RawNode node, Action<RawLink, object, string> heard) => (_connection, _node, _heard) = (connection, node, heard);

    /// <summary>Done when the connection is over.</summary>
    public Task Over => _connection.Over;

    /// <summary>Connects and greets; messages may be sent at once.</summary>
    /// <param name="heard">Told each message, with the path of its sender.</param>
    /// <exception cref="IOException">Nobody there, or the network refuses.</exception>
    /// <exception cref="AuthenticationException">The other side is not headquarters, or refuses this node.</exception>
    /// <exception cref="OperationCanceledException">It took too long.</exception>
    public static async Task<RawLink> Open(IByteNetwork network, string address, RawNode node, LinkLimits limits, Action<RawLink, object, string> heard, CancellationToken cancellation)
    {
        var raw = await network.Connect(address, cancellation).ConfigureAwait(false);
        var authenticated = await node.Tls.AsClient(raw, PeerIdentity.HeadquartersHost, cancellation).ConfigureAwait(false);
        RawLink? link = null;
        var connection = new LinkConnection(authenticated, node.Address, limits, judge: (_, _) => true, oversized: (_, _) => { });
        link = new RawLink(connection, node, heard);
        link.Listen(connection.Dialled(Headquarters));
        connection.Start((_, channel, first) => link.Accept(channel, first));
        return link;
    }

    /// <summary>To the door, the only actor that headquarters shows to strangers.</summary>
    public void Hello(Hello hello) => Send(AkkaFrames.Select(Root, Door, _node.Actor, hello));

    /// <summary>To an actor that has spoken to this node before.</summary>
    public void Tell(string recipient, ILinkMessage message) => Send(AkkaFrames.Tell(recipient, _node.Actor, message));

    /// <summary>A frame of any kind, sound or not.</summary>
    public void Send(ByteString frame)
    {
        LinkAssociation? way;
        lock (_gate)
        {
            if (!_associated)
            {
                _early.Add(frame);
                return;
            }

            way = _open.Count > 0 ? _open[^1] : null;
        }

        way?.Write(frame);
    }

    /// <summary>Tells Akka at the other side that this one lives; due every ten seconds (<see cref="LinkHocon"/>).</summary>
    public void Heartbeat()
    {
        lock (_gate)
            foreach (var association in _open)
                association.Write(AkkaFrames.Heartbeat);
    }

    /// <summary>Ends the connection once what waits is sent.</summary>
    public void Part() => _ = Task.Run(_connection.Part);

    /// <summary>Ends it at once. Not on the caller's thread: an association that ends waits for who is just hearing from it.</summary>
    public void Abort() => ThreadPool.UnsafeQueueUserWorkItem(connection => connection.Abort(), _connection, preferLocal: false);

    private bool Accept(ushort channel, ByteString first)
    {
        if (_connection.Add(channel, Headquarters) is not { } association)
            return false;
        Listen(association);
        association.Deliver(first);
        return true;
    }

    private void Listen(LinkAssociation association)
    {
        lock (_gate)
            _open.Add(association);
        association.Write(_node.Greeting);
        association.ReadHandlerSource.SetResult(new Listener(this, association));
    }

    private void Take(LinkAssociation association, ByteString frame)
    {
        switch (AkkaFrames.Read(frame))
        {
            case AkkaFrame.Associated:
                lock (_gate)
                {
                    _associated = true;
                    foreach (var early in _early)
                        _open[^1].Write(early);
                    _early.Clear();
                }

                break;
            case AkkaFrame.Parted:
                Gone(association);
                break;
            case AkkaFrame.Told told:
                _heard(this, told.Message, told.Sender);
                break;
        }
    }

    private void Gone(LinkAssociation association)
    {
        bool last;
        lock (_gate)
            last = _open.Remove(association) && _open.Count == 0;
        if (last)
            Abort();
    }

    private sealed class Listener(RawLink link, LinkAssociation association) : IHandleEventListener
    {
        public void Notify(IHandleEvent handleEvent)
        {
            try
            {
                if (handleEvent is InboundPayload payload)
                    link.Take(association, payload.Payload);
                else
                    link.Gone(association);
            }
            catch (Exception malformed) when (malformed is SerializationException or InvalidProtocolBufferException or MessagePack.MessagePackSerializationException)
            {
                link.Abort();
            }
        }
    }
}

/// <summary>Who a raw link speaks for.</summary>
internal sealed class RawNode
{
    private const string System = "office";

    /// <param name="host">The logical host of its certificate.</param>
    public RawNode(string host, LinkTls tls)
    {
        Tls = tls;
        Address = new Address(LinkTransport.Scheme, System, host, LinkHocon.OfficePort);
        Greeting = AkkaFrames.Associate(System, host, LinkHocon.OfficePort, LinkTransport.Scheme, (ulong)Random.Shared.NextInt64(1, int.MaxValue));
        Actor = string.Create(CultureInfo.InvariantCulture, $"akka.{LinkTransport.Scheme}://{System}@{host}:{LinkHocon.OfficePort}/user/link");
    }

    public LinkTls Tls { get; }

    public Address Address { get; }

    /// <summary>Its half of an association's handshake.</summary>
    public ByteString Greeting { get; }

    /// <summary>The path of the one actor that it speaks for.</summary>
    public string Actor { get; }
}
