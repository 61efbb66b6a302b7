using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Headquarters.Devices;
using Fleet.Headquarters.Discovery;
using Fleet.Headquarters.Offices;
using Fleet.Messages.Company;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Rollouts;

/// <summary>
/// Counts how rollouts stand with an office's devices, and says so until the company has heard it. Never journaled: the devices' reports say it all. Part of
/// the office twin, on its thread.
/// </summary>
internal sealed class OfficeRollouts
{
    private const int MostDetail = 500;

    private readonly Dictionary<DeviceId, (ReadOnlyMemory<byte> Report, IReadOnlyList<PackageStatus> Packages)> _read = [];
    private CountRollouts? _said;
    private bool _stale = true;
    private bool _heard;
    private ulong _number;

    /// <summary>Something may have changed how rollouts stand.</summary>
    public void Journaled(IReadOnlyList<IOfficeEvent> events)
    {
        _stale |= events.Any(e => e is OfficeUpdatesAdopted or DeviceReported or DeviceEnrolled or DeviceMovedIn or DeviceMovedOut or DeviceRemoved or DeviceLabelled or DevicePlaced);
        foreach (var gone in events.Where(e => e is DeviceMovedOut or DeviceRemoved))
            _read.Remove(((IDeviceEvent)gone).DeviceId);
    }

    /// <summary>The company began anew, and has forgotten what it heard.</summary>
    public void SayAgain() => _heard = false;

    public void Heard(RolloutsCounted counted) => _heard |= counted.Number == _said?.Number;

    /// <summary>What to tell the company; null: it knows.</summary>
    /// <param name="again">Also what was said already and not answered.</param>
    public CountRollouts? Review(Office office, DateTimeOffset now, bool again)
    {
        if (_stale)
        {
            _stale = false;
            var (counts, failures) = Count(office);
            var silent = _said is null && office.Updates.Releases.Count == 0;
            if (!silent && !(_said is { } said && said.BookVersion == office.Updates.Version && said.Counts.SequenceEqual(counts) && said.Failures!.SequenceEqual(failures)))
            {
                // Numbers rise over restarts without being stored: they follow the clock.
                _number = Math.Max(_number + 1, (ulong)now.UtcTicks);
                (_said, _heard) = (new CountRollouts(office.Id, _number, office.Updates.Version, counts, failures), false);
                return _said;
            }
        }

        return again && !_heard ? _said : null;
    }

    private (IReadOnlyList<RingCount> Counts, IReadOnlyList<RolloutFailure> Failures) Count(Office office)
    {
        if (office.Updates.Releases.Count == 0)
        {
            _read.Clear();
            return ([], []);
        }

        var counts = new Dictionary<(string Rollout, string Ring), RingCount>();
        var failures = new List<RolloutFailure>();
        foreach (var device in office.Devices.Values.OrderBy(d => d.Id.Value, StringComparer.Ordinal))
        {
            var packages = PackagesOf(device);
            foreach (var (release, ring) in ReleasePicks.For(office, device, () => packages))
            {
                var (stand, status) = ReleaseStand.Of(release, packages);
                var so = counts.GetValueOrDefault((release.Rollout, ring.Name)) ?? new RingCount(new RolloutName(release.Rollout), ring.Name, 0, 0, 0, 0);
                counts[(release.Rollout, ring.Name)] = (so with { Picked = so.Picked + 1 }).With(stand);
                if (stand is Stand.Failed or Stand.RolledBack && failures.Count(f => f.Rollout == so.Rollout) < RolloutFailure.Most)
                    failures.Add(new RolloutFailure(so.Rollout, office.Id, device.Id, device.Known.Name, ring.Name, stand == Stand.RolledBack, CleanText.Of(status!.Detail, MostDetail), status.Since?.ToDateTimeOffset()));
            }
        }

        return ([.. counts.Values.OrderBy(c => c.Rollout.Value, StringComparer.Ordinal).ThenBy(c => c.Ring, StringComparer.Ordinal)], failures);
    }

    // A report is parsed once, not at each count.
    private IReadOnlyList<PackageStatus> PackagesOf(Device device)
    {
        if (_read.TryGetValue(device.Id, out var known) && known.Report.Equals(device.Known.Report))
            return known.Packages;
        var packages = device.ReadPackages();
        _read[device.Id] = (device.Known.Report, packages);
        return packages;
    }
}
