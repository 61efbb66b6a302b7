using Fleet.Contracts;
using Fleet.Messages.Company;

namespace Fleet.Headquarters.Policies;

/// <summary>The settings in policies that Fleet itself knows. Any other key is handed to the device as it is.</summary>
public static class PolicySettings
{
    /// <summary>How often the device syncs, e.g. <c>15m</c>.</summary>
    public const string SyncInterval = "sync.interval";

    /// <summary>True: the device never dials headquarters.</summary>
    public const string GatewayOnly = "agent.gateway-only";

    /// <summary>Whether the device keeps a line open to a push server: <see cref="Always"/> or <see cref="Periodic"/>.</summary>
    public const string Connection = "agent.connection";

    /// <summary>Whether the office's nodes keep their links: <see cref="Always"/> or <see cref="Periodic"/>.</summary>
    public const string NodeLink = "node.link";

    public const string Always = "always";

    public const string Periodic = "periodic";

    private const int MaxSettings = 200;
    private const int MaxLength = 1000;
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestInterval = TimeSpan.FromDays(7);

    /// <summary>Says what is wrong with a policy, or null if nothing is.</summary>
    public static string? Problem(PolicyDocument document)
    {
        if (document.Settings.Count is 0 or > MaxSettings)
            return $"a policy holds 1 to {MaxSettings} settings, not {document.Settings.Count}";
        foreach (var (key, value) in document.Settings.Concat(document.Labels))
            if (key.Length is 0 or > MaxLength || value.Length > MaxLength)
                return $"'{key[..Math.Min(40, key.Length)]}' is empty or longer than {MaxLength} characters, or its value is";
        if (document.Settings.TryGetValue(SyncInterval, out var interval) && ParseInterval(interval) is null)
            return $"{SyncInterval} must be a duration from 1s to 7d such as 15m or 30s, not '{interval}'";
        if (document.Settings.TryGetValue(GatewayOnly, out var only) && !bool.TryParse(only, out _))
            return $"{GatewayOnly} must be true or false, not '{only}'";
        if (document.Settings.TryGetValue(Connection, out var connection) && connection is not (Always or Periodic))
            return $"{Connection} must be {Always} or {Periodic}, not '{connection}'";
        if (document.Settings.TryGetValue(NodeLink, out var link) && link is not (Always or Periodic))
            return $"{NodeLink} must be {Always} or {Periodic}, not '{link}'";
        return null;
    }

    /// <summary>A mode as people write it; null where nothing is set.</summary>
    public static string? Mode(bool? always) => always is { } set ? set ? Always : Periodic : null;

    /// <summary>An interval as people write it: <c>30s</c>, <c>15m</c>, <c>2h</c>, <c>1d</c>; null where it is none or out of bounds.</summary>
    public static TimeSpan? ParseInterval(string text) =>
        DurationText.TryParse(text, out var interval) && interval >= ShortestInterval && interval <= LongestInterval ? interval : null;
}
