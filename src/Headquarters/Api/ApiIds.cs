using Fleet.Contracts;

namespace Fleet.Headquarters.Api;

/// <summary>Makes ids of what clients wrote: the edge at which they are checked.</summary>
internal static class ApiIds
{
    /// <summary>One of the methods below.</summary>
    public delegate Refusal? Reader<T>(string? text, out T id);

    /// <summary>Null where nothing was written.</summary>
    public static Refusal? Optional<T>(string? text, Reader<T> read, out T? id)
        where T : struct
    {
        id = null;
        if (text is null)
            return null;
        if (read(text, out var given) is { } wrong)
            return wrong;
        id = given;
        return null;
    }

    /// <summary>All of a list; none where nothing was written.</summary>
    public static Refusal? Each<T>(IReadOnlyList<string>? texts, Reader<T> read, out IReadOnlyList<T> ids)
    {
        var all = new List<T>();
        ids = all;
        foreach (var text in texts ?? [])
        {
            if (read(text, out var id) is { } wrong)
                return wrong;
            all.Add(id);
        }

        return null;
    }

    public static Refusal? Read(string? text, out OfficeId office) => Read(text, "office", 1, t => new OfficeId(t), out office);

    public static Refusal? Read(string? text, out NodeId node) => Read(text, "node", 2, t => new NodeId(t), out node);

    public static Refusal? Read(string? text, out DeviceId device) => Read(text, "device", 1, t => new DeviceId(t), out device);

    public static Refusal? Read(string? text, out TokenId token) => Read(text, "token", 1, t => new TokenId(t), out token);

    public static Refusal? Read(string? text, out PolicyName policy) => Read(text, "policy", 1, t => new PolicyName(t), out policy);

    public static Refusal? Read(string? text, out InstallId install) => Read(text, "installation", 1, t => new InstallId(t), out install);

    public static Refusal? Read(string? text, out RuleName rule) => Read(text, "rule", 1, t => new RuleName(t), out rule);

    public static Refusal? Read(string? text, out RolloutName rollout) => Read(text, "rollout", 1, t => new RolloutName(t), out rollout);

    public static Refusal? Read(string? text, out PollId poll) => Read(text, "poll", 1, t => new PollId(t), out poll);

    public static Refusal? Read(string? text, out DiscoveredId discovered) => Read(text, "discovered device", 1, t => new DiscoveredId(t), out discovered);

    private static Refusal? Read<T>(string? text, string kind, int parts, Func<string, T> make, out T id)
        where T : struct
    {
        id = default;
        if (IdText.Problem(text, parts) is { } problem)
            return Refusal.Invalid($"{kind}: {problem}");
        id = make(text!);
        return null;
    }
}
