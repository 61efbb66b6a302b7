using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Contracts.Envelopes;
using Fleet.Headquarters.Discovery;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.Messages.Serialization;
using MessagePack;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Fleet.Headquarters.Api;

/// <summary><c>/api/v1/polls</c> and <c>/api/v1/offices/{id}/poll-schedule</c>.</summary>
internal static class PollEndpoints
{
    public static void MapPolls(this IEndpointRouteBuilder api)
    {
        var polls = api.MapGroup("/polls").WithTags("Polls");
        polls.MapGet("", List).WithSummary("Lists network polls, those under way first; 'office', 'method' and 'running' narrow the list.");
        polls.MapPost("", Run).WithSummary("Begins a poll now, at the office's poller.");
        polls.MapGet("/{id}", Show).WithSummary("Shows a poll: how far it is, or how it ended.");
        polls.MapPost("/{id}/cancel", Cancel).WithSummary("Cancels a poll.");
        var schedules = api.MapGroup("/offices/{id}/poll-schedule").WithTags("Polls");
        schedules.MapGet("", Schedule).WithSummary("Shows who polls an office, how and when.");
        schedules.MapPut("/{method}", Reschedule).WithSummary("Sets how and when one method polls an office.");
    }

    private static async Task<Results<Ok<ListPage<PollResource>>, ProblemHttpResult>> List(
        [AsParameters] PageParameters paging, string? office, string? method, [FromQuery(Name = "running")] bool? running, NetworkQueries queries)
    {
        OfficeId? only = null;
        PollMethod? by = null;
        if ((paging.Read(out var page) ?? ApiIds.Optional(office, ApiIds.Read, out only) ?? ApiIds.Optional(method, Read, out by)) is { } wrong)
            return wrong.Problem();
        return TypedResults.Ok((await queries.Polls(new PollFilter(page, only, by, running))).Shown(page, NetworkResourcesOf.Of));
    }

    private static async Task<Results<Accepted<PollResource>, ProblemHttpResult>> Run(NewPoll poll, Owners owners, ReadModelQueries offices, NetworkQueries queries, Settled settled)
    {
        PollMethod method = default;
        if ((ApiIds.Read(poll.Office, out OfficeId office) ?? Read(poll.Method, out method)) is { } wrong)
            return wrong.Problem();
        if (poll.Kind is not (null or "full" or "quick"))
            return Refusal.Invalid($"a poll is full or quick, not '{poll.Kind}'").Problem();
        if (await offices.Office(office) is null)
            return Refusal.NotFound("office", poll.Office).Problem();
        var answer = await owners.Ask(new StartPoll(office, method, poll.Kind != "quick", poll.Ranges ?? [], poll.Force, Owners.Administrator));
        if (answer.Refusal is { } refusal)
            return refusal.Problem();
        var id = ((PollAccepted)answer.Reply!).PollId;
        return await settled.When(() => queries.Poll(id), p => p is not null) is { } begun
            ? TypedResults.Accepted($"/api/v1/polls/{id}", NetworkResourcesOf.Of(begun))
            : new Refusal(RefusalCode.Busy, $"poll {id} has begun, but the list does not show it yet; look again in a moment").Problem();
    }

    private static async Task<Results<Ok<PollResource>, ProblemHttpResult>> Show(string id, NetworkQueries queries)
    {
        if (ApiIds.Read(id, out PollId poll) is { } wrong)
            return wrong.Problem();
        return await queries.Poll(poll) is { } found ? TypedResults.Ok(NetworkResourcesOf.Of(found)) : (await Unknown(id, queries)).Problem();
    }

    private static async Task<Results<Ok<PollResource>, ProblemHttpResult>> Cancel(string id, Owners owners, NetworkQueries queries, Settled settled)
    {
        if (ApiIds.Read(id, out PollId poll) is { } wrong)
            return wrong.Problem();
        if (await queries.Poll(poll) is not { } known)
            return (await Unknown(id, queries)).Problem();
        if (known.EndedAt is not null)
            return new Refusal(RefusalCode.NotFound, $"poll {id} is over: {known.Outcome?.ToString().ToLowerInvariant()}").Problem();
        if ((await owners.Ask(new StopPoll(known.OfficeId, poll, Owners.Administrator))).Refusal is { } refusal)
            return refusal.Problem();
        return TypedResults.Ok(NetworkResourcesOf.Of((await settled.When(() => queries.Poll(poll), p => p?.EndedAt is not null)) ?? known));
    }

    private static async Task<Results<Ok<PollScheduleResource>, ProblemHttpResult>> Schedule(string id, ReadModelQueries offices, NetworkQueries queries, DiscoveryOptions options)
    {
        if (ApiIds.Read(id, out OfficeId office) is { } wrong)
            return wrong.Problem();
        return await offices.Office(office) is null ? Refusal.NotFound("office", id).Problem() : TypedResults.Ok(NetworkResourcesOf.Of(await queries.Polling(office), options));
    }

    private static async Task<Results<Ok<PollScheduleResource>, ProblemHttpResult>> Reschedule(
        string id, string method, PollMethodContent content, Owners owners, Secrets secrets, ReadModelQueries offices, NetworkQueries queries, DiscoveryOptions options, Settled settled)
    {
        PollSchedule? schedule = null;
        if ((ApiIds.Read(id, out OfficeId office) ?? Read(method, out var by) ?? Read(content, by, secrets, out schedule)) is { } wrong)
            return wrong.Problem();
        if (await offices.Office(office) is null)
            return Refusal.NotFound("office", id).Problem();
        if ((await owners.Ask(new SchedulePolls(office, schedule!, content.PacketsPerSecond, Owners.Administrator))).Refusal is { } refusal)
            return refusal.Problem();
        var shown = await settled.When<PollingView>(async () => await queries.Polling(office), p => p?.Plan?.Schedules.FirstOrDefault(s => s.Method == schedule!.Method) is { } kept && Same(kept, schedule!)
            && (content.PacketsPerSecond ?? p.Plan.PacketsPerSecond) == p.Plan.PacketsPerSecond);
        return TypedResults.Ok(NetworkResourcesOf.Of(shown!, options));
    }

    private static Refusal? Read(string? text, out PollMethod method)
    {
        var known = Polls.Parse(text ?? "");
        method = known ?? default;
        var names = Enum.GetValues<PollMethod>().Select(Polls.Name).ToList();
        return known is null ? Refusal.Invalid($"networks are polled by {string.Join(", ", names)}, not by '{text}'{NearMiss.Hint(text ?? "", names)}") : null;
    }

    private static Refusal? Read(PollMethodContent content, PollMethod method, Secrets secrets, out PollSchedule? schedule)
    {
        (schedule, TimeSpan quick, TimeSpan full) = (null, default, default);
        if (content.QuickEvery is { } q && !DurationText.TryParse(q, out quick))
            return Refusal.Invalid($"quickEvery must be a duration such as 30m, not '{q}'");
        if (content.FullEvery is { } f && !DurationText.TryParse(f, out full))
            return Refusal.Invalid($"fullEvery must be a duration such as 420m, not '{f}'");
        var directories = new List<DirectorySource>();
        foreach (var directory in content.Directories ?? [])
        {
            if (Read(directory, secrets, out var source) is { } wrong)
                return wrong;
            directories.Add(source!);
        }

        schedule = new PollSchedule(method, content.Enabled, quick, full, content.Ranges ?? [], content.Force, directories, null, null);
        return null;
    }

    private static Refusal? Read(DirectoryContent content, Secrets secrets, out DirectorySource? source)
    {
        source = null;
        DirectorySecurity? security = content.Security switch { null or "tls" => DirectorySecurity.Tls, "starttls" => DirectorySecurity.StartTls, "plain" => DirectorySecurity.Plain, _ => null };
        if (security is not { } by)
            return Refusal.Invalid($"security is tls, starttls or plain, not '{content.Security}'");
        ReadOnlyMemory<byte> authority = default;
        if (content.Authority is { Length: > 0 } pem)
            try
            {
                using var certificate = X509Certificate2.CreateFromPem(pem);
                authority = certificate.RawData;
            }
            catch (CryptographicException)
            {
                return Refusal.Invalid($"the authority given for {content.Host} is no certificate in PEM");
            }

        var password = content.Password is { Length: > 0 } open ? secrets.Keep(PollPlans.KeptPassword, open) : default(ReadOnlyMemory<byte>);
        source = new DirectorySource(
            content.Host, content.Port ?? (by == DirectorySecurity.Tls ? 636 : 389), by, content.BaseName ?? "", content.Filter ?? "", content.User ?? "", password, authority);
        return null;
    }

    // Passwords that were kept are not compared: they are in no answer.
    private static bool Same(PollSchedule one, PollSchedule other) =>
        one.Enabled == other.Enabled && one.QuickEvery == other.QuickEvery && one.FullEvery == other.FullEvery && one.AllowLarge == other.AllowLarge && one.Ranges.SequenceEqual(other.Ranges)
        && one.Directories.Select(d => (d.Host, d.Port, d.Security, d.BaseName, d.Filter, d.User)).SequenceEqual(other.Directories.Select(d => (d.Host, d.Port, d.Security, d.BaseName, d.Filter, d.User)));

    private static async Task<Refusal> Unknown(string id, NetworkQueries queries) =>
        new(RefusalCode.NotFound, $"there is no poll '{id}'{NearMiss.Hint(id, await queries.RunningPolls())}");
}

/// <summary>Seals what an operator typed for headquarters itself, before anything else sees it.</summary>
/// <param name="key">Headquarters' own public key.</param>
internal sealed class Secrets(byte[] key)
{
    public ReadOnlyMemory<byte> Keep(string purpose, string text) => NodeSecret.Seal(key, purpose, Encoding.UTF8.GetBytes(text));

    public ReadOnlyMemory<byte> Keep(string purpose, InstallSecret secret) => NodeSecret.Seal(key, purpose, MessagePackSerializer.Serialize(secret, Codec.Options));
}
