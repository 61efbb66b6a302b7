using Akka.Actor;
using Fleet.Contracts;
using Fleet.Headquarters.Devices;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Offices;

/// <summary>Items of one sender that wait to be decided, and where their answer goes.</summary>
/// <param name="Items">In the sender's order.</param>
/// <param name="Through">The node that carried them; null where they came straight, or from another office's twin.</param>
/// <param name="Forwarded">Passed on by another office's twin: not passed on again by hint.</param>
/// <param name="Forward">Wraps items for the twin of another office.</param>
/// <param name="Answer">Sends the answers, once the journal has everything.</param>
internal sealed record OfficeWork(
    IActorRef Sender, IReadOnlyList<IUpItem> Items, NodeId? Through, bool Forwarded, Func<IReadOnlyList<IUpItem>, OfficeId, object> Forward, Action<IReadOnlyList<IDownItem>> Answer)
{
    /// <summary>Made while deciding, sent after the journal.</summary>
    public List<IDownItem> Answers { get; } = [];

    /// <summary>Devices whose desired document the sender asked for.</summary>
    public Dictionary<DeviceId, ulong> Wanted { get; } = [];
}

/// <summary>Work that is decided together and journaled by one write.</summary>
internal sealed class OfficeBatch(Office before, IReadOnlyList<OfficeWork> works)
{
    private readonly Dictionary<DeviceId, List<(OfficeWork Work, ReadOnlyMemory<byte> Envelope)>> _reports = [];
    private readonly HashSet<DeviceId> _awaited = [];

    public IReadOnlyList<OfficeWork> Works { get; } = works;

    public List<IOfficeEvent> Events { get; } = [];

    /// <summary>The state with the batch's own events so far.</summary>
    public Office Working { get; private set; } = before;

    public bool IsDecided => _awaited.Count == 0;

    public IReadOnlyDictionary<DeviceId, List<(OfficeWork Work, ReadOnlyMemory<byte> Envelope)>> Reports => _reports;

    public void Add(IEnumerable<IOfficeEvent> events)
    {
        foreach (var happened in events)
        {
            Events.Add(happened);
            Working = Working.Apply(happened);
        }
    }

    public void Await(DeviceId device, OfficeWork work, ReadOnlyMemory<byte> envelope)
    {
        if (!_reports.TryGetValue(device, out var reports))
            _reports[device] = reports = [];
        reports.Add((work, envelope));
        _awaited.Add(device);
    }

    /// <summary>Its twin has not judged its reports yet.</summary>
    public bool Awaits(DeviceId device) => _awaited.Contains(device);

    public void Take(ReportsJudged judged)
    {
        if (!_awaited.Remove(judged.DeviceId))
            return;
        Add(judged.Events);
        foreach (var (report, answer) in _reports[judged.DeviceId].Zip(judged.Answers))
            report.Work.Answers.Add(answer.Item);
    }

    /// <summary>The device's twin failed: its reports stay unanswered, and the device sends them again.</summary>
    public void GiveUp(DeviceId device) => _awaited.Remove(device);
}
