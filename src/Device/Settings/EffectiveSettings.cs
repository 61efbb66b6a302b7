using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Device.Identity;

namespace Fleet.Device.Settings;

/// <summary>
/// What runs on the device after its own options and headquarters' desired settings are put together. Keys that the agent does not know are kept
/// and reported: another program on the device may read them. A value that can't be applied leaves the one below it in force and is a problem.
/// </summary>
public sealed record EffectiveSettings(TimeSpan SyncInterval, bool GatewayOnly, IReadOnlyDictionary<string, string> All, IReadOnlyList<string> Problems)
{
    public const string SyncIntervalKey = "sync.interval";
    public const string GatewayOnlyKey = "agent.gateway-only";

    /// <summary>Shorter intervals are refused: they are mistakes, and a storm at scale.</summary>
    public static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(1);

    /// <param name="desired">Headquarters' document, or null while there is none.</param>
    public static EffectiveSettings From(DeviceOptions options, Reach reach, DesiredDocument? desired)
    {
        var problems = new List<string>();
        var all = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in desired?.Settings ?? [])
            all[key] = value;

        var interval = desired?.SyncInterval?.ToTimeSpan() is { } named && named >= ShortestInterval ? named : options.SyncInterval;
        if (all.TryGetValue(SyncIntervalKey, out var text))
        {
            if (DurationText.TryParse(text, out var wanted) && wanted >= ShortestInterval)
                interval = wanted;
            else
                problems.Add($"setting {SyncIntervalKey} = '{text}' can't be applied: it must be a duration of at least {DurationText.Of(ShortestInterval)}, such as 15m");
        }

        // Told at enrolment, it stays: the machine's owner knows that there is no way to headquarters.
        var gatewayOnly = reach.GatewayOnly || desired?.GatewayOnly == true;
        if (all.TryGetValue(GatewayOnlyKey, out text))
        {
            if (bool.TryParse(text, out var only))
                gatewayOnly = reach.GatewayOnly || only;
            else
                problems.Add($"setting {GatewayOnlyKey} = '{text}' can't be applied: it must be true or false");
        }

        all[SyncIntervalKey] = DurationText.Of(interval);
        all[GatewayOnlyKey] = gatewayOnly ? "true" : "false";
        return new EffectiveSettings(interval, gatewayOnly, all, problems);
    }
}
