using System.Diagnostics.Metrics;
using Fleet.Contracts;
using Fleet.Gateway.Monitoring;
using Fleet.Headquarters.Storage;
using Fleet.Messages.Admission;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Monitoring;

/// <summary>
/// What one headquarters node counts about itself, under the meter <c>fleet.headquarters</c>. Each fact is counted by its owner, once, where it happens; what
/// somebody keeps anyway is read when it is asked for (<see cref="HeadquartersGauges"/>). Costs next to nothing while nobody reads it.
/// </summary>
public sealed class HeadquartersMeter : IDisposable
{
    public const string Name = "fleet.headquarters";

    private readonly Counter<long> _hellos;
    private readonly Counter<long> _frames;
    private readonly Counter<long> _reports;
    private readonly Counter<long> _enrolments;
    private readonly Counter<long> _wakeUps;
    private readonly Histogram<double> _wakeUpTime;
    private readonly Histogram<double> _journalTime;
    private readonly Counter<long> _journalEvents;
    private readonly Counter<long> _journalFailures;
    private readonly Counter<long> _contentBytes;
    private readonly Counter<long> _putOff;
    private readonly Counter<long> _removed;
    private readonly Counter<long> _backupFailures;

    public HeadquartersMeter()
    {
        Gateway = new GatewayMeter(this);
        Meter = new Meter(new MeterOptions(Name) { Version = HeadquartersNode.Version, Scope = this });
        _hellos = Meter.CreateCounter<long>("fleet.hellos", "{hello}", "Office nodes that dialled in, by answer: welcome, wait, refused.");
        _frames = Meter.CreateCounter<long>("fleet.frames", "{frame}", "Frames of office nodes, by direction: up, down.");
        _reports = Meter.CreateCounter<long>("fleet.reports", "{report}", "Changed reports of devices that are journaled.");
        _enrolments = Meter.CreateCounter<long>("fleet.enrolments", "{enrolment}", "Enrolments of nodes and devices, by outcome: taken, refused.");
        _wakeUps = Meter.CreateCounter<long>("fleet.wakeups", "{wakeup}", "Wake-ups that ended, by outcome (woken, failed) and channel.");
        _wakeUpTime = Meter.CreateHistogram("fleet.wakeup.duration", "s", "From the operator's request until the device synced.", advice: Seconds(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300, 1800));
        _journalTime = Meter.CreateHistogram("fleet.journal.write.duration", "s", "From handing a batch to the journal until it is stored.", advice: Seconds(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10));
        _journalEvents = Meter.CreateCounter<long>("fleet.journal.events", "{event}", "Events that are journaled.");
        _journalFailures = Meter.CreateCounter<long>("fleet.journal.failures", "{failure}", "Writes to the journal, and recoveries from it, that failed.");
        _contentBytes = Meter.CreateCounter<long>("fleet.content.bytes", "By", "Bytes of update content that were sent.");
        _putOff = Meter.CreateCounter<long>("fleet.put_off", "{request}", "What was put off under overload, by what: lists, enrolments, reports.");
        _backupFailures = Meter.CreateCounter<long>("fleet.backup.failures", "{failure}", "Backups that were due and could not be made.");
        _removed = Meter.CreateCounter<long>("fleet.retention.removed", "{entry}", "Entries of histories that were taken out because of their age or number, by history.");
    }

    /// <summary>For parts that nobody watches.</summary>
    public static HeadquartersMeter Unheard { get; } = new();

    public Meter Meter { get; }

    /// <summary>What its own gateway counts.</summary>
    public GatewayMeter Gateway { get; }

    /// <summary>How the journal did lately.</summary>
    public JournalPulse Journal { get; } = new(TimeProvider.System);

    /// <summary>The devices of the twins that run here, by presence.</summary>
    public PresenceCounts Devices { get; } = new();

    /// <summary>How far the read model is behind the journal, where this node writes it.</summary>
    public ProjectionLag Projection { get; } = new();

    /// <summary>How much headquarters keeps, as this node saw last; null: another node looks.</summary>
    public StorageSizes? Sizes { get; set; }

    public void Welcomed() => _hellos.Add(1, new KeyValuePair<string, object?>("answer", "welcome"));

    public void NotWelcomed(RefusalCode code) => _hellos.Add(1, new KeyValuePair<string, object?>("answer", code == RefusalCode.Busy ? "wait" : "refused"));

    public void FrameUp() => _frames.Add(1, new KeyValuePair<string, object?>("direction", "up"));

    public void FrameDown() => _frames.Add(1, new KeyValuePair<string, object?>("direction", "down"));

    public void EnrolmentRefused() => _enrolments.Add(1, new KeyValuePair<string, object?>("outcome", "refused"));

    public void Sent(long bytes) => _contentBytes.Add(bytes);

    public void PutOff(Deferrable what) => _putOff.Add(1, new KeyValuePair<string, object?>("what", what switch
    {
        Deferrable.Lists => "lists",
        Deferrable.Enrolments => "enrolments",
        _ => "reports",
    }));

    /// <summary>When the newest backup was made of those that this node makes by itself; null: it makes none.</summary>
    public DateTimeOffset? NewestBackup { get; set; }

    public void BackupFailed() => _backupFailures.Add(1);

    /// <summary>Old entries went.</summary>
    public void Removed(string history, int entries) => _removed.Add(entries, new KeyValuePair<string, object?>("history", history));

    /// <summary>The journal stored a batch of a twin (<see cref="JournalPulse.Begun"/>).</summary>
    public void Wrote(string persistenceId) => _journalTime.Record(Journal.Stored(persistenceId).TotalSeconds);

    public void JournalFailed(string persistenceId, string why)
    {
        Journal.Failed(persistenceId, why);
        _journalFailures.Add(1);
    }

    /// <summary>An office's events are journaled: what they mean is counted.</summary>
    public void Journaled(IReadOnlyList<IOfficeEvent> events)
    {
        if (events.Count == 0)
            return;
        _journalEvents.Add(events.Count);
        var reports = 0;
        foreach (var happened in events)
            switch (happened)
            {
                case DeviceReported:
                    reports++;
                    break;
                case DeviceEnrolled:
                    _enrolments.Add(1, new("outcome", "taken"), new("kind", "device"));
                    break;
                case NodeEnrolled:
                    _enrolments.Add(1, new("outcome", "taken"), new("kind", "node"));
                    break;
                case DeviceWakeEnded { Channel: { } channel } ended:
                    _wakeUps.Add(1, new("outcome", "woken"), new("channel", NameOf(channel)));
                    _wakeUpTime.Record(ended.Took.TotalSeconds, new KeyValuePair<string, object?>("channel", NameOf(channel)));
                    break;
                case DeviceWakeEnded:
                    _wakeUps.Add(1, new KeyValuePair<string, object?>("outcome", "failed"));
                    break;
            }

        if (reports > 0)
            _reports.Add(reports);
    }

    public void Dispose()
    {
        Gateway.Dispose();
        Meter.Dispose();
    }

    private static string NameOf(WakeChannel channel) => channel switch
    {
        WakeChannel.OfficePush => "office-push",
        WakeChannel.HeadquartersPush => "headquarters-push",
        WakeChannel.HeadquartersDatagram => "headquarters-datagram",
        WakeChannel.OfficeDatagram => "office-datagram",
        WakeChannel.WakeOnLan => "wake-on-lan",
        _ => "periodic-sync",
    };

    private static InstrumentAdvice<double> Seconds(params double[] bounds) => new() { HistogramBucketBoundaries = bounds };
}
