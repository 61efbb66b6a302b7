using Akka.Actor;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Gateway;
using Fleet.Messages.Cluster;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Links;

/// <summary>
/// The uplink of headquarters' own gateway: what devices with a direct connection say goes to the twins of their offices by the shard region, and
/// the answers go back. Routes, keeps nothing: a lost question is the device's to ask again.
/// </summary>
public sealed class DirectRelay : ReceiveActor, IWithTimers
{
    /// <summary>Devices whose office is remembered, for digests, which don't name it.</summary>
    private const int MaximumRemembered = 100_000;

    /// <summary>The held version of a question for the state of a device alone: the gateway asks for the document when it needs it.</summary>
    private const ulong Whatever = ulong.MaxValue;

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly IActorRef _offices;
    private readonly TimeSpan _presenceEvery;
    private readonly string _epoch = LinkTools.NewSecret();
    private readonly Dictionary<DeviceId, OfficeId> _homes = [];
    private IActorRef _gateway = ActorRefs.Nobody;

    public DirectRelay(IActorRef offices, TimeSpan presenceEvery)
    {
        (_offices, _presenceEvery) = (offices, presenceEvery);

        Receive<GatewayReady>(_ =>
        {
            _gateway = Sender;
            _gateway.Tell(new UplinkChanged(Up: true, _epoch));
            Timers.StartPeriodicTimer(nameof(PresenceDue), new PresenceDue(), _presenceEvery);
        });
        Receive<PresenceDue>(due => _gateway.Tell(due));
        Receive<SendUp>(Handle);
        Receive<CameDownDirect>(down => _gateway.Tell(new CameDown(down.Items)));
        Receive<OfficeBegan>(Handle);
        Receive<DirectAnswer>(answer => _gateway.Tell(new CameDown(answer.Items)));
        Receive<EnrolmentAnswer>(answer => _gateway.Tell(new CameDown([new EnrolmentDown(answer.RequestId, answer.Reply)])));
        Receive<OfficeRefused>(refused => _log.Debug("Office {OfficeId} refused a direct device: {Detail}", refused.OfficeId, refused.Detail));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="offices">The shard region of the office twins.</param>
    public static Props Props(IActorRef offices, TimeSpan presenceEvery) => Akka.Actor.Props.Create(() => new DirectRelay(offices, presenceEvery));

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(CameDownDirect));
        Context.System.EventStream.Subscribe(Self, typeof(OfficeBegan));
    }

    protected override void PostStop() => Context.System.EventStream.Unsubscribe(Self);

    private void Handle(SendUp up)
    {
        foreach (var ofOffice in up.Items.SelectMany(Addressed).GroupBy(a => a.Office, a => a.Item))
            _offices.Tell(new TakeDirect(ofOffice.Key, [.. ofOffice]));
    }

    // What changes from now on comes down for those alone that the twin hears of; the gateway would go by what it was told before.
    private void Handle(OfficeBegan began)
    {
        _gateway.Tell(new TellLines(began.OfficeId));
        IReadOnlyList<IUpItem> met = [.. _homes.Where(h => h.Value == began.OfficeId).Select(h => new DesiredWanted(h.Key, Whatever, h.Value))];
        if (met.Count > 0)
            _offices.Tell(new TakeDirect(began.OfficeId, met));
    }

    private IEnumerable<(OfficeId Office, IUpItem Item)> Addressed(IUpItem item)
    {
        switch (item)
        {
            case DeviceEnvelopeUp envelope:
                Remember(envelope.DeviceId, envelope.OfficeHint);
                return [(envelope.OfficeHint, item)];
            case DesiredWanted wanted:
                Remember(wanted.DeviceId, wanted.OfficeHint);
                return [(wanted.OfficeHint, item)];
            case LinesDigest digest:
                foreach (var line in digest.Lines)
                    Remember(line.DeviceId, line.OfficeHint);
                return digest.Lines.GroupBy(l => l.OfficeHint).Select(ofOffice => (ofOffice.Key, (IUpItem)new LinesDigest([.. ofOffice])));
            case DeviceWoken or WakeFailed:
                return [(((IDeviceUpItem)item).OfficeHint, item)];
            case PresenceDigest digest:
                return digest.Seen.Where(s => _homes.ContainsKey(s.DeviceId)).GroupBy(s => _homes[s.DeviceId])
                    .Select(ofOffice => (ofOffice.Key, (IUpItem)new PresenceDigest([.. ofOffice])));
            case EnrolmentUp enrolment:
                Enrol(enrolment);
                return [];
            default:
                throw new NotSupportedException($"{item.GetType().Name} does not come from a gateway without a node");
        }
    }

    private void Enrol(EnrolmentUp enrolment)
    {
        var request = Contracts.Agents.EnrolRequest.Parser.ParseFrom(enrolment.Request.Span);
        if (IdText.Problem(request.OfficeId) is { } problem)
        {
            // No twin to ask: the answer is made here.
            var refusal = new Contracts.Agents.EnrolReply { Refusal = new() { Code = (int)RefusalCode.Invalid, Detail = $"the office is wrong: {problem}" } };
            _gateway.Tell(new CameDown([new EnrolmentDown(enrolment.RequestId, Google.Protobuf.MessageExtensions.ToByteArray(refusal))]));
            return;
        }

        _offices.Tell(new Enrol(new OfficeId(request.OfficeId), enrolment.RequestId, enrolment.Request, CarrierOffice: null));
    }

    private void Remember(DeviceId device, OfficeId office)
    {
        if (_homes.Count >= MaximumRemembered && !_homes.ContainsKey(device))
            _homes.Clear();
        _homes[device] = office;
    }
}
