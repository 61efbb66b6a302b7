using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Offices;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Fleet.Headquarters.Api;

/// <summary>GET <c>/api/v1/devices</c> and its filters.</summary>
internal static class DeviceList
{
    public static async Task<Results<Ok<ListPage<DeviceResource>>, ProblemHttpResult>> List([AsParameters] PageParameters paging, [AsParameters] DeviceParameters wanted, ReadModelQueries queries)
    {
        DeviceFilter? filter = null;
        if ((paging.Read(out var page) ?? wanted.Read(page, out filter)) is { } wrong)
            return wrong.Problem();
        return TypedResults.Ok((await queries.Devices(filter!)).Shown(page, Resources.Of));
    }
}

/// <param name="Label">key=value; may repeat.</param>
/// <param name="Package">name, or name=version, of what is installed.</param>
/// <param name="Sort"><c>name</c>, <c>office</c>, <c>last-sync</c>, <c>reported-at</c> or <c>enrolled-at</c>; with '-' in front: descending.</param>
internal readonly record struct DeviceParameters(
    [property: FromQuery(Name = "office")] string? Office,
    [property: FromQuery(Name = "text")] string? Text,
    [property: FromQuery(Name = "label")] string[]? Label,
    [property: FromQuery(Name = "converged")] bool? Converged,
    [property: FromQuery(Name = "cloned")] bool? Cloned,
    [property: FromQuery(Name = "seen-before")] DateTimeOffset? SeenBefore,
    [property: FromQuery(Name = "presence")] string? Presence,
    [property: FromQuery(Name = "package")] string? Package,
    [property: FromQuery(Name = "sort")] string? Sort)
{
    public Refusal? Read(PageRequest page, out DeviceFilter? filter)
    {
        filter = null;
        if (ApiIds.Optional<OfficeId>(Office, ApiIds.Read, out var office) is { } wrong)
            return wrong;
        var labels = new Dictionary<string, string>();
        foreach (var label in Label ?? [])
        {
            if (label.IndexOf('=', StringComparison.Ordinal) is not (> 0 and var equals))
                return Refusal.Invalid($"label '{label}' is not of the form key=value");
            labels[label[..equals]] = label[(equals + 1)..];
        }

        var name = (Sort ?? "name").TrimStart('-');
        DeviceSort? sort = name switch
        {
            "name" => DeviceSort.Name,
            "office" => DeviceSort.Office,
            "last-sync" => DeviceSort.LastSync,
            "reported-at" => DeviceSort.ReportedAt,
            "enrolled-at" => DeviceSort.EnrolledAt,
            _ => null,
        };
        if (sort is not { } by)
            return Refusal.Invalid($"devices are not sorted by '{name}'; say name, office, last-sync, reported-at or enrolled-at");
        PresenceState? state = Presence switch { "online" => PresenceState.Online, "offline" => PresenceState.Offline, "unknown" => PresenceState.Unknown, _ => null };
        if (Presence is not null && state is null)
            return Refusal.Invalid($"presence is online, offline or unknown, not '{Presence}'");
        filter = new DeviceFilter(page, office, Text, labels, Converged, Cloned, SeenBefore, state, by, Sort is ['-', ..], Package?.Split('=')[0], Package?.Split('=').ElementAtOrDefault(1));
        return null;
    }
}
