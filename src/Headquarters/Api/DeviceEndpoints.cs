using System.Diagnostics;
using System.Globalization;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Contracts.Tracing;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Offices;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Fleet.Headquarters.Api;

/// <summary><c>/api/v1/devices</c>. The API names a device by its id alone; the read model knows the office whose twin owns it.</summary>
internal static class DeviceEndpoints
{
    public static void MapDevices(this IEndpointRouteBuilder api)
    {
        var devices = api.MapGroup("/devices").WithTags("Devices");
        devices.MapGet("", DeviceList.List).WithSummary(
            "Lists devices; 'office', 'text' (part of id, name or host name), 'label' (key=value, may repeat), 'converged', 'cloned', 'seen-before' and 'package' (name, or name=version) narrow the list; 'sort' orders it.");
        devices.MapGet("/{id}", Show).WithSummary("Shows a device: desired and applied version, the delay between, settings and inventory.");
        devices.MapPost("/{id}/labels", Label).WithSummary("Sets and removes labels.");
        devices.MapPost("/{id}/move", Move).WithSummary("Moves a device to another office.");
        devices.MapPost("/{id}/sync", Sync).WithSummary("Asks a device to sync as soon as it can be reached.");
        devices.MapPost("/{id}/wake", Wake).WithSummary("Wakes a device by the best channel there is, and the next where one fails, until it has synced; the outcome is the device's 'wake'.");
        devices.MapPost("/{id}/connection", Connect).WithSummary("Lets a device keep a line open, or sync periodically, over what policies say.");
        devices.MapDelete("/{id}", Remove).WithSummary("Removes a device; it must enrol anew to come back.");
        devices.MapGet("/{id}/events", Events).WithSummary("The history of a device, newest first.");
    }

    private static async Task<Results<Ok<DeviceDetailResource>, ProblemHttpResult>> Show(string id, ReadModelQueries queries)
    {
        if (ApiIds.Read(id, out DeviceId device) is { } wrong)
            return wrong.Problem();
        return Shown(id, await queries.Device(device));
    }

    private static async Task<Results<Ok<DeviceDetailResource>, ProblemHttpResult>> Label(string id, LabelChange change, Owners owners, ReadModelQueries queries, Settled settled)
    {
        var (device, refusal) = await Ask(id, owners, queries, (home, d) => new LabelDevice(
            home, d, change.Set ?? new Dictionary<string, string>(), change.Remove ?? [], Owners.Administrator));
        if (refusal is not null)
            return refusal.Problem();
        return Shown(id, await settled.When(() => queries.Device(device), d => d is not null
            && (change.Set ?? new Dictionary<string, string>()).All(l => d.Device.Labels.GetValueOrDefault(l.Key) == l.Value)
            && !(change.Remove ?? []).Any(d.Device.Labels.ContainsKey)));
    }

    private static async Task<Results<Ok<DeviceDetailResource>, ProblemHttpResult>> Move(string id, DeviceMove move, Owners owners, ReadModelQueries queries, Settled settled)
    {
        if (ApiIds.Read(move.Office, out OfficeId to) is { } wrong)
            return wrong.Problem();
        if (await queries.Office(to) is null)
            return Refusal.NotFound("office", move.Office).Problem();
        var (device, refusal) = await Ask(id, owners, queries, (home, d) => new MoveDevice(home, d, to, Owners.Administrator));
        if (refusal is not null)
            return refusal.Problem();
        return Shown(id, await settled.When(() => queries.Device(device), d => d is not null && d.Device.OfficeId == to));
    }

    private static async Task<Results<Accepted<SyncRequested>, ProblemHttpResult>> Sync(string id, Owners owners, ReadModelQueries queries, TimeProvider clock)
    {
        var before = ApiIds.Read(id, out DeviceId known) is null ? await queries.Device(known) : null;
        var (_, refusal) = await Ask(id, owners, queries, (home, d) => new RequestSync(home, d, Owners.Administrator));
        return refusal is null
            ? TypedResults.Accepted($"/api/v1/devices/{id}", new SyncRequested(id, clock.GetUtcNow(), before?.Device.LastSync))
            : refusal.Problem();
    }

    private static async Task<Results<Accepted<WakeRequested>, ProblemHttpResult>> Wake(string id, HttpContext http, Owners owners, ReadModelQueries queries, TimeProvider clock)
    {
        if (ApiIds.Read(id, out DeviceId device) is { } wrong)
            return wrong.Problem();
        if (await queries.HomeOf(device) is not { } home)
            return Refusal.NotFound("device", id).Problem();
        using var span = Traces.Begin("request-wake", http.Request.Headers.TraceParent, ActivityKind.Server);
        span?.SetTag("fleet.device.id", id);
        var (reply, refusal) = await owners.Ask(new RequestWake(home, device, Owners.Administrator, Traces.Of(span)));
        if (refusal is not null)
            return refusal.Problem();
        var between = (await queries.Device(device))?.Device.Through is { } through ? await queries.Node(through) : null;
        var note = between is { Linked: false, Mode: { Periodic: true, Interval: var interval } }
            ? $"{between.NodeId} dials every {DurationText.Of(interval)} and is not linked now: the wake-up waits for its next dial"
            : null;
        return TypedResults.Accepted($"/api/v1/devices/{id}", new WakeRequested(id, ((WakeAccepted)reply!).Counter.ToString(CultureInfo.InvariantCulture), clock.GetUtcNow(), note));
    }

    private static async Task<Results<Ok<DeviceDetailResource>, ProblemHttpResult>> Connect(string id, ConnectionChange change, Owners owners, ReadModelQueries queries, Settled settled)
    {
        if (Modes.Read(change.Mode, out var always) is { } wrong)
            return wrong.Problem();
        var (device, refusal) = await Ask(id, owners, queries, (home, d) => new SetConnection(home, d, always, Owners.Administrator));
        if (refusal is not null)
            return refusal.Problem();
        return Shown(id, await settled.When(() => queries.Device(device), d => d is not null && d.AlwaysConnected == always && (always is not { } wanted || d.HasPlace == wanted || d.PlaceWhy.Length > 0)));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Remove(string id, Owners owners, ReadModelQueries queries, Settled settled)
    {
        var (device, refusal) = await Ask(id, owners, queries, (home, d) => new RemoveDevice(home, d, Owners.Administrator));
        if (refusal is not null)
            return refusal.Problem();
        await settled.When(() => queries.Device(device), d => d is null);
        return TypedResults.NoContent();
    }

    private static async Task<Results<Ok<ListPage<EventResource>>, ProblemHttpResult>> Events(string id, [AsParameters] PageParameters paging, ReadModelQueries queries)
    {
        PageRequest page = default;
        if ((ApiIds.Read(id, out DeviceId device) ?? paging.Read(out page)) is { } wrong)
            return wrong.Problem();
        return TypedResults.Ok((await queries.DeviceEvents(device, page)).Shown(page, Resources.Of));
    }

    private static async Task<(DeviceId Device, Refusal? Refusal)> Ask(string id, Owners owners, ReadModelQueries queries, Func<OfficeId, DeviceId, IOfficeCommand> command)
    {
        if (ApiIds.Read(id, out DeviceId device) is { } wrong)
            return (device, wrong);
        if (await queries.HomeOf(device) is not { } home)
            return (device, Refusal.NotFound("device", id));
        return (device, (await owners.Ask(command(home, device))).Refusal);
    }

    private static Results<Ok<DeviceDetailResource>, ProblemHttpResult> Shown(string id, DeviceDetail? found) =>
        found is null ? Refusal.NotFound("device", id).Problem() : TypedResults.Ok(Resources.Of(found));
}
