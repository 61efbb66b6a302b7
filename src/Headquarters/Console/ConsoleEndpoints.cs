using Fleet.Contracts;
using Fleet.Headquarters.Console.Pages;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Updates;
using Fleet.Headquarters.Web;
using Fleet.Messages.Link;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Fleet.Headquarters.Console;

/// <summary>
/// The console: pages drawn on the server, no state per browser. A small script reads <c>/console/events</c> and fetches the page anew when
/// something changed, so a thousand open browsers cost no more than their fetches.
/// </summary>
internal static class ConsoleEndpoints
{
    private const int PageRows = 50;
    private const int IncidentRows = 20;

    /// <summary>What fits on a screen or two: nobody reads a thousand cards, and the browser shows each change of all.</summary>
    private const int OfficeCards = 24;

    public static void MapConsole(this IEndpointRouteBuilder host)
    {
        var pages = host.MapGroup("").ExcludeFromDescription();
        pages.MapGet(AdminAuthentication.LoginPath, () => Login(wrong: null));
        pages.MapPost(AdminAuthentication.LoginPath, LogIn);
        pages.MapPost("/logout", (Delegate)LogOut);
        pages.MapAssets();

        var inside = pages.MapGroup("").RequireAuthorization(policy => policy.AddAuthenticationSchemes(AdminAuthentication.Console).RequireAuthenticatedUser());
        inside.MapGet("/", Overview);
        inside.MapGet("/devices/{id}", Device);
        inside.MapGet("/discovered", Discovered);
        inside.MapGet("/rollouts", Rollouts);
        inside.MapGet("/console/events", (HttpContext http, ReadModelStore store, ProgramFacts program) =>
            ServerSentEvents.Stream(http, store.Changes, program.Stopping, stream => stream.Send("changed")));
    }

    /// <summary>Pages load nothing from elsewhere, are framed by nobody and kept by no cache.</summary>
    public static void UseConsoleHeaders(this IApplicationBuilder host) => host.Use((http, next) =>
    {
        http.Response.Headers.ContentSecurityPolicy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        http.Response.Headers["Referrer-Policy"] = "same-origin";
        http.Response.Headers.CacheControl = "no-store";
        return next(http);
    });

    /// <summary>Addresses that lead nowhere are told as a page; below <c>/api</c> programs ask, and read problem details.</summary>
    public static void UseMissingPage(this IApplicationBuilder host) => host.UseWhen(http => !http.Request.Path.StartsWithSegments("/api"), pages => pages.UseStatusCodePages(
        context => context.HttpContext.Response.StatusCode == StatusCodes.Status404NotFound
            ? Missing("There is no such page.", live: false).ExecuteAsync(context.HttpContext)
            : Task.CompletedTask));

    private static async Task<RazorComponentResult<OverviewPage>> Overview(string? q, string? office, string? offices, int? page, ReadModelQueries queries)
    {
        var (list, rows, only) = Wanted("/", q, office, page);
        var cards = await queries.Offices(new OfficeFilter(new PageRequest(0, OfficeCards), offices, only, DownFirst: true));
        var view = new Overview(
            await queries.Status(),
            await queries.Incidents(new IncidentFilter(new PageRequest(0, IncidentRows))),
            cards,
            cards.Items.Count == 0 ? new Page<NodeView>([], 0) : await queries.Nodes(new NodeFilter(new PageRequest(0, PageRequest.MaxTake), Offices: [.. cards.Items.Select(o => o.OfficeId)])),
            await queries.Devices(new DeviceFilter(rows, only, q)),
            list,
            offices ?? "");
        return new RazorComponentResult<OverviewPage>(new Dictionary<string, object?> { [nameof(OverviewPage.View)] = view });
    }

    private static async Task<RazorComponentResult<DiscoveredPage>> Discovered(string? q, string? office, int? page, NetworkQueries queries)
    {
        var (list, rows, only) = Wanted("/discovered", q, office, page);
        var view = new DiscoveredOverview(
            (await queries.Polls(new PollFilter(PageRequest.First, only, Running: true))).Items,
            await queries.Discovered(new DiscoveredFilter(rows, only, q)),
            list);
        return new RazorComponentResult<DiscoveredPage>(new Dictionary<string, object?> { [nameof(DiscoveredPage.View)] = view });
    }

    private static async Task<RazorComponentResult<RolloutsPage>> Rollouts(int? page, RolloutQueries rollouts, DownloadQueries downloads, ReadModelQueries queries, TimeProvider clock)
    {
        var (list, rows, _) = Wanted("/rollouts", null, null, page);
        var points = await queries.Nodes(new NodeFilter(new PageRequest(0, PageRequest.MaxTake), Role: NodeRole.DistributionPoint));
        var labels = await queries.Labels(points.Items.Select(n => n.DeviceId));
        var tasks = (await downloads.Tasks(new PageRequest(0, PageRequest.MaxTake))).Items.Select(task => new TaskOverview(task, [.. points.Items
            .Where(n => DownloadRules.IsFor(task, n.OfficeId, labels[n.DeviceId])).CountBy(n => DownloadStand.Of(task, n, null, clock.GetUtcNow()).State).OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => (s.Key, s.Value))]));
        var view = new RolloutsOverview(await rollouts.Rollouts(rows), [.. tasks], points.Items, await rollouts.Stores(), list);
        return new RazorComponentResult<RolloutsPage>(new Dictionary<string, object?> { [nameof(RolloutsPage.View)] = view });
    }

    private static (ListQuery List, PageRequest Rows, OfficeId? Office) Wanted(string path, string? text, string? office, int? page)
    {
        var number = Math.Max(1, page ?? 1);
        OfficeId? only = office is not null && IdText.Problem(office) is null ? new OfficeId(office) : null;
        return (new ListQuery(path, text ?? "", only?.Value ?? "", number, PageRows), new PageRequest((number - 1) * PageRows, PageRows), only);
    }

    private static async Task<IResult> Device(string id, ReadModelQueries queries)
    {
        if (IdText.Problem(id) is not null || await queries.Device(new DeviceId(id)) is not { } device)
            return Missing($"There is no device {id}.");
        var events = await queries.DeviceEvents(device.Device.DeviceId, new PageRequest(0, PageRows));
        return new RazorComponentResult<DevicePage>(new Dictionary<string, object?> { [nameof(DevicePage.Device)] = device, [nameof(DevicePage.Events)] = events });
    }

    private static RazorComponentResult<MissingPage> Missing(string what, bool live = true) =>
        new(new Dictionary<string, object?> { [nameof(MissingPage.What)] = what, [nameof(MissingPage.Live)] = live }) { StatusCode = StatusCodes.Status404NotFound };

    private static RazorComponentResult<LoginPage> Login(string? wrong) =>
        new(new Dictionary<string, object?> { [nameof(LoginPage.Wrong)] = wrong }) { StatusCode = wrong is null ? StatusCodes.Status200OK : StatusCodes.Status401Unauthorized };

    private static async Task<IResult> LogIn(HttpContext http, AdminCredentials credentials)
    {
        if (FromElsewhere(http.Request))
            return TypedResults.StatusCode(StatusCodes.Status403Forbidden);
        var form = await http.Request.ReadFormAsync();
        if (!AdminToken.TryParse(form["token"], out var token, out var problem))
            return Login($"{char.ToUpperInvariant(problem[0])}{problem[1..]}.");
        if (!credentials.Knows(token.Bearer))
            return Login("This is the token of another headquarters, or of an earlier one: take the one in admin.token in this headquarters' data directory.");
        await http.SignInAsync(AdminAuthentication.Console, AdminAuthentication.Administrator(AdminAuthentication.Console, credentials));
        var wanted = http.Request.Query["ReturnUrl"].ToString();
        return TypedResults.LocalRedirect(wanted is ['/', not ('/' or '\\'), ..] ? wanted : "/");
    }

    private static async Task<IResult> LogOut(HttpContext http)
    {
        if (FromElsewhere(http.Request))
            return TypedResults.StatusCode(StatusCodes.Status403Forbidden);
        await http.SignOutAsync(AdminAuthentication.Console);
        return TypedResults.LocalRedirect(AdminAuthentication.LoginPath);
    }

    // Browsers say where a form was shown; one on another site logs nobody in or out.
    private static bool FromElsewhere(HttpRequest request) =>
        request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site and not ("same-origin" or "none");
}
