using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.Installs;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Fleet.Headquarters.Api;

/// <summary><c>/api/v1/discovered</c>: devices without an agent.</summary>
internal static class DiscoveredEndpoints
{
    private const int MostUser = 64;
    private const int MostSecret = 16 * 1024;

    public static void MapDiscovered(this IEndpointRouteBuilder api)
    {
        var discovered = api.MapGroup("/discovered").WithTags("Discovered");
        discovered.MapGet("", List).WithSummary(
            "Lists devices without an agent that polls saw; 'office', 'text' (part of id, name, MAC, vendor, address or service), 'ignored' (false, true or all) and 'seen-before' narrow the list; 'sort' orders it.");
        discovered.MapGet("/{id}", Show).WithSummary("Shows a discovered device.");
        discovered.MapPost("/{id}/install", Install).WithSummary("Sets up the agent on a discovered device over SSH, through a node of its office; credentials are sealed for that node and kept nowhere.");
        api.MapGet("/installs/{id}", ShowInstall).WithTags("Discovered").WithSummary("Shows how the setting up of an agent goes, or ended.");
        discovered.MapPost("/{id}/ignore", Ignore).WithSummary("Sets a discovered device aside, or takes it in again.");
    }

    private static async Task<Results<Ok<ListPage<DiscoveredResource>>, ProblemHttpResult>> List(
        [AsParameters] PageParameters paging, [AsParameters] DiscoveredParameters wanted, NetworkQueries queries)
    {
        DiscoveredFilter? filter = null;
        if ((paging.Read(out var page) ?? wanted.Read(page, out filter)) is { } wrong)
            return wrong.Problem();
        return TypedResults.Ok((await queries.Discovered(filter!)).Shown(page, NetworkResourcesOf.Of));
    }

    private static async Task<Results<Ok<DiscoveredResource>, ProblemHttpResult>> Show(string id, NetworkQueries queries)
    {
        if (ApiIds.Read(id, out DiscoveredId discovered) is { } wrong)
            return wrong.Problem();
        return await queries.Discovered(discovered) is { } found ? TypedResults.Ok(NetworkResourcesOf.Of(found)) : (await Unknown(id, queries)).Problem();
    }

    private static async Task<Results<Ok<DiscoveredResource>, ProblemHttpResult>> Ignore(string id, IgnoreChange change, Owners owners, NetworkQueries queries, Settled settled)
    {
        if (ApiIds.Read(id, out DiscoveredId discovered) is { } wrong)
            return wrong.Problem();
        if (await queries.Discovered(discovered) is not { } known)
            return (await Unknown(id, queries)).Problem();
        if ((await owners.Ask(new IgnoreDiscovered(known.OfficeId, discovered, change.Ignored, Owners.Administrator))).Refusal is { } refusal)
            return refusal.Problem();
        return TypedResults.Ok(NetworkResourcesOf.Of(await settled.When(() => queries.Discovered(discovered), d => d?.Ignored == change.Ignored) ?? known));
    }

    private static async Task<Results<Accepted<InstallResource>, ProblemHttpResult>> Install(
        string id, NewInstall wanted, Owners owners, Secrets secrets, ReadModelQueries devices, NetworkQueries queries, Settled settled)
    {
        if (ApiIds.Read(id, out DiscoveredId discovered) is { } wrong)
            return wrong.Problem();
        if (wanted.User.Length is 0 or > MostUser || wanted.User.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)))
            return Refusal.Invalid($"the user who logs in has 1 to {MostUser} characters, and no blanks").Problem();
        if (wanted.Password is not { Length: > 0 } && wanted.PrivateKey is not { Length: > 0 })
            return Refusal.Invalid("a password or a private key is needed").Problem();
        if (new[] { wanted.Password, wanted.PrivateKey, wanted.Passphrase }.Sum(t => t?.Length ?? 0) > MostSecret)
            return Refusal.Invalid($"password, key and passphrase have at most {MostSecret} characters together").Problem();
        if (await queries.Discovered(discovered) is not { } known)
            return (await devices.Device(new DeviceId(id)) is { } managed
                ? new Refusal(RefusalCode.AlreadyExists, $"{managed.Device.Name} ({id}) has an agent already")
                : await Unknown(id, queries)).Problem();
        var secret = secrets.Keep(InstallRules.KeptSecret, new InstallSecret(wanted.User, wanted.Password ?? "", wanted.PrivateKey ?? "", wanted.Passphrase ?? "", ""));
        var answer = await owners.Ask(new StartInstall(known.OfficeId, discovered, wanted.Address, wanted.Port, secret, wanted.AcceptHostKey, Owners.Administrator));
        if (answer.Refusal is { } refusal)
            return refusal.Problem();
        var install = ((InstallAccepted)answer.Reply!).InstallId;
        return await settled.When(() => queries.Install(install), i => i is not null) is { } begun
            ? TypedResults.Accepted($"/api/v1/installs/{install}", NetworkResourcesOf.Of(begun))
            : new Refusal(RefusalCode.Busy, $"installation {install} has begun, but does not show yet; look again in a moment").Problem();
    }

    private static async Task<Results<Ok<InstallResource>, ProblemHttpResult>> ShowInstall(string id, NetworkQueries queries)
    {
        if (ApiIds.Read(id, out InstallId install) is { } wrong)
            return wrong.Problem();
        return await queries.Install(install) is { } found ? TypedResults.Ok(NetworkResourcesOf.Of(found)) : Refusal.NotFound("installation", id).Problem();
    }

    private static async Task<Refusal> Unknown(string id, NetworkQueries queries) =>
        new(RefusalCode.NotFound, $"there is no discovered device '{id}'{NearMiss.Hint(id, await queries.DiscoveredLike(id))}");
}

/// <param name="Sort"><c>name</c>, <c>office</c>, <c>vendor</c>, <c>first-seen</c> or <c>last-seen</c>; with '-' in front: descending.</param>
internal readonly record struct DiscoveredParameters(
    [property: FromQuery(Name = "office")] string? Office,
    [property: FromQuery(Name = "text")] string? Text,
    [property: FromQuery(Name = "ignored")] string? Ignored,
    [property: FromQuery(Name = "seen-before")] DateTimeOffset? SeenBefore,
    [property: FromQuery(Name = "sort")] string? Sort)
{
    public Refusal? Read(PageRequest page, out DiscoveredFilter? filter)
    {
        filter = null;
        if (ApiIds.Optional<OfficeId>(Office, ApiIds.Read, out var office) is { } wrong)
            return wrong;
        if (Ignored is not (null or "false" or "true" or "all"))
            return Refusal.Invalid($"ignored is false, true or all, not '{Ignored}'");
        var name = (Sort ?? "name").TrimStart('-');
        DiscoveredSort? sort = name switch
        {
            "name" => DiscoveredSort.Name,
            "office" => DiscoveredSort.Office,
            "vendor" => DiscoveredSort.Vendor,
            "first-seen" => DiscoveredSort.FirstSeen,
            "last-seen" => DiscoveredSort.LastSeen,
            _ => null,
        };
        if (sort is not { } by)
            return Refusal.Invalid($"discovered devices are not sorted by '{name}'; say name, office, vendor, first-seen or last-seen");
        filter = new DiscoveredFilter(page, office, Text, Ignored switch { "all" => null, "true" => true, _ => false }, SeenBefore, by, Sort is ['-', ..]);
        return null;
    }
}
