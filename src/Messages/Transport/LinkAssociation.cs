using Akka.Actor;
using Akka.Remote.Transport;
using Google.Protobuf;

namespace Fleet.Messages.Transport;

/// <summary>One association of Akka.Remote: one channel of a <see cref="LinkConnection"/>.</summary>
internal sealed class LinkAssociation : AssociationHandle
{
    private readonly Lock _gate = new();
    private readonly LinkConnection _connection;
    private readonly ushort _channel;
    private readonly List<ByteString> _early = [];
    private IHandleEventListener? _listener;
    private bool _ended;

    public LinkAssociation(LinkConnection connection, ushort channel, Address local, Address remote)
        : base(local, remote)
    {
        (_connection, _channel) = (connection, channel);
        _ = ReadHandlerSource.Task.ContinueWith(
            listening => Listen(listening.Result),
            CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Takes a frame for sending; false where too much waits already, which makes Akka back off.</summary>
    public override bool Write(ByteString payload) => _connection.Write(_channel, payload);

    /// <summary>Ends the association once what waits is sent, Akka's farewell among it.</summary>
    [Obsolete("Akka calls it through Disassociate(reason, log).")]
    public override void Disassociate() => _connection.Close(_channel);

    /// <summary>Hands a frame to Akka, or keeps it until Akka listens.</summary>
    public void Deliver(ByteString frame)
    {
        lock (_gate)
        {
            if (_listener is null)
                _early.Add(frame);
            else
                _listener.Notify(new InboundPayload(frame));
        }
    }

    /// <summary>Tells Akka that the association is over.</summary>
    public void End()
    {
        lock (_gate)
        {
            if (_ended)
                return;
            _ended = true;
            _listener?.Notify(new Disassociated(DisassociateInfo.Unknown));
        }
    }

    private void Listen(IHandleEventListener listener)
    {
        lock (_gate)
        {
            _listener = listener;
            foreach (var frame in _early)
                listener.Notify(new InboundPayload(frame));
            _early.Clear();
            if (_ended)
                listener.Notify(new Disassociated(DisassociateInfo.Unknown));
        }
    }
}
