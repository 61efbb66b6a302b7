using BenchmarkDotNet.Attributes;
using Fleet.Headquarters;
using Fleet.Headquarters.Monitoring;
using Fleet.Headquarters.Offices;
using Fleet.Messages.Offices;

namespace Fleet.Micro;

/// <summary>What an office twin does with a digest of a thousand devices that were seen: it takes it in, and judges who is there.</summary>
public class PresenceBenchmarks
{
    private readonly OfficeOptions _options = HeadquartersOptions.Load(null, []).Offices;
    private readonly Presence _presence = new(Samples.Noon, new PresenceCounts());
    private readonly Office _office = new Office(Samples.Office).Apply(Samples.Enrolled);
    private DateTimeOffset _now = Samples.Noon;

    [Benchmark]
    public IReadOnlyList<DevicePresence> TakeDigestOf1000()
    {
        _now += TimeSpan.FromSeconds(10);
        foreach (var seen in Samples.Digest.Seen)
            _presence.Seen(seen.DeviceId, _now, _now, Samples.Node);
        return _presence.Review(_office, _options, _now);
    }
}
