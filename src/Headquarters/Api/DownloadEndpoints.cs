using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Fleet.Headquarters.Api;

/// <summary><c>/api/v1/updates/tasks</c>: the tasks that make distribution points download.</summary>
internal static class DownloadEndpoints
{
    /// <summary>A package of this name would be hidden behind the tasks.</summary>
    public const string Path = "tasks";

    public static void MapDownloads(this IEndpointRouteBuilder api)
    {
        var tasks = api.MapGroup($"/updates/{Path}").WithTags("Downloads");
        tasks.MapGet("", List).WithSummary("Lists the tasks that make distribution points download updates.");
        tasks.MapGet("/{name}", Show).WithSummary("Shows a download task.");
        tasks.MapGet("/{name}/nodes", Nodes).WithSummary("How a download task stands at each of its distribution points.");
        tasks.MapPut("/{name}", Put).WithSummary("Adds a download task, or changes the one of that name.");
        tasks.MapDelete("/{name}", Remove).WithSummary("Removes a download task; what was downloaded stays while devices should have it.");
        tasks.MapPost("/{name}/run", Run).WithSummary("Makes a download task run now, whatever its schedule says.");
        tasks.MapPost("/{name}/cancel", Cancel).WithSummary("Ends the runs of a download task that are under way; what came of a file stays.");
        tasks.MapPost("/{name}/pause", Pause).WithSummary("Stops a download task, and what is under way of it.");
        tasks.MapPost("/{name}/resume", Resume).WithSummary("Lets a paused download task go on where it stopped.");
    }

    private static async Task<Results<Ok<ListPage<DownloadTaskResource>>, ProblemHttpResult>> List([AsParameters] PageParameters paging, DownloadQueries queries)
    {
        if (paging.Read(out var page) is { } wrong)
            return wrong.Problem();
        return TypedResults.Ok((await queries.Tasks(page)).Shown(page, DownloadResources.Of));
    }

    private static async Task<Results<Ok<DownloadTaskResource>, ProblemHttpResult>> Show(string name, DownloadQueries queries) =>
        await queries.Task(name) is { } found ? TypedResults.Ok(DownloadResources.Of(found)) : (await Unknown(name, queries)).Problem();

    private static async Task<Results<Ok<ListPage<DownloadNodeResource>>, ProblemHttpResult>> Nodes(
        string name, [AsParameters] PageParameters paging, DownloadQueries queries, ReadModelQueries nodes, TimeProvider clock)
    {
        if (paging.Read(out var page) is { } wrong)
            return wrong.Problem();
        if (await queries.Task(name) is not { } task)
            return (await Unknown(name, queries)).Problem();
        var points = await nodes.Nodes(new NodeFilter(page, Role: NodeRole.DistributionPoint, Offices: task.Offices, Labels: task.Labels));
        var progress = await queries.Progress(points.Items.Select(n => n.NodeId));
        return TypedResults.Ok(points.Shown(page, node => DownloadStand.Of(task, node, progress.TryGetValue(node.NodeId, out var counted) ? counted : null, clock.GetUtcNow())));
    }

    private static async Task<Results<Ok<DownloadTaskResource>, ProblemHttpResult>> Put(string name, DownloadTaskContent content, Owners owners, Secrets secrets, DownloadQueries queries, Settled settled)
    {
        if (DownloadResources.Read(name, content, secrets, out var wanted) is { } wrong)
            return wrong.Problem();
        return await Done(new PutDownloadTask(wanted!, Owners.Administrator), name, owners, queries, settled, t => DownloadRules.Says(t, wanted!));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Remove(string name, Owners owners, DownloadQueries queries, Settled settled)
    {
        if ((await owners.Ask(new RemoveDownloadTask(name, Owners.Administrator))).Refusal is { } refusal)
            return refusal.Problem();
        await settled.When(() => queries.Task(name), t => t is null);
        return TypedResults.NoContent();
    }

    private static async Task<Results<Ok<DownloadTaskResource>, ProblemHttpResult>> Run(string name, Owners owners, DownloadQueries queries, Settled settled)
    {
        var before = (await queries.Task(name))?.RunNumber;
        return await Done(new RunDownloadTask(name, Owners.Administrator), name, owners, queries, settled, t => t.RunNumber != before);
    }

    private static async Task<Results<Ok<DownloadTaskResource>, ProblemHttpResult>> Cancel(string name, Owners owners, DownloadQueries queries, Settled settled)
    {
        var before = (await queries.Task(name))?.CancelNumber;
        return await Done(new CancelDownloadTask(name, Owners.Administrator), name, owners, queries, settled, t => t.CancelNumber != before);
    }

    private static Task<Results<Ok<DownloadTaskResource>, ProblemHttpResult>> Pause(string name, Owners owners, DownloadQueries queries, Settled settled) =>
        Done(new PauseDownloadTask(name, Paused: true, Owners.Administrator), name, owners, queries, settled, t => t.Paused);

    private static Task<Results<Ok<DownloadTaskResource>, ProblemHttpResult>> Resume(string name, Owners owners, DownloadQueries queries, Settled settled) =>
        Done(new PauseDownloadTask(name, Paused: false, Owners.Administrator), name, owners, queries, settled, t => !t.Paused);

    private static async Task<Results<Ok<DownloadTaskResource>, ProblemHttpResult>> Done(
        ICompanyCommand command, string name, Owners owners, DownloadQueries queries, Settled settled, Func<DownloadTask, bool> shown)
    {
        if ((await owners.Ask(command)).Refusal is { } refusal)
            return refusal.Problem();
        return await settled.When(() => queries.Task(name), t => t is not null && shown(t)) is { } now ? TypedResults.Ok(DownloadResources.Of(now)) : (await Unknown(name, queries)).Problem();
    }

    private static async Task<Refusal> Unknown(string name, DownloadQueries queries) =>
        new(RefusalCode.NotFound, $"there is no download task '{name}'{NearMiss.Hint(name, await queries.Names())}");
}
