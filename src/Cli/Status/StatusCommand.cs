using System.CommandLine;
using Fleet.Cli.Output;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Status;

/// <summary><c>fleet status</c>: numbers for programs; for people also the offices, and what needs a look.</summary>
internal static class StatusCommand
{
    private const int Looked = 10;
    private const int Listed = 50;

    /// <summary>Long enough to enrol a fleet anew.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromDays(365);

    /// <summary>Who has not looked by then has seen it elsewhere.</summary>
    private static readonly TimeSpan LongAgo = TimeSpan.FromDays(7);

    public static Command Make(FleetCommands commands) => commands.Remote("status", "Shows the fleet: how many are linked and run what is desired, and what needs a look.", "fleet status",
        async call =>
        {
            var status = await call.Client.Get("status", ApiJson.Default.StatusResource, call.Cancellation).ConfigureAwait(false);
            if (call.Display.Json)
            {
                call.Display.Show(status, ApiJson.Default.StatusResource, () => { });
                return;
            }

            var now = call.Terminal.Clock.GetUtcNow();
            call.Display.Facts(
            [
                ("headquarters", $"{status.Version}, up for {Words.Length(now - status.StartedAt)}"),
                ("nodes", $"{call.Display.Share(status.LinkedNodes, status.Nodes)} linked"),
                ("devices", $"{call.Display.Share(status.Converged, status.Devices)} run what is desired"),
                ("policies", Words.Number(status.Policies)),
            ]);
            var offices = await call.Client.Get($"offices?page-size={Listed}", ApiJson.Default.ListPageOfficeResource, call.Cancellation).ConfigureAwait(false);
            call.Display.Section("Offices", ["OFFICE", "NODES LINKED", "DEVICES", "TITLE"],
            [
                .. offices.Items.Select(IReadOnlyList<string> (o) => [o.Id, call.Display.Share(o.LinkedNodes, o.Nodes), Words.Number(o.Devices), o.Title]),
                .. offices.Total > offices.Items.Count ? (IReadOnlyList<string>[])[[$"and {Words.Number(offices.Total - offices.Items.Count)} more", "", "", "fleet office list"]] : [],
            ]);
            call.Display.Section("Needs a look", ["WHAT", "WHY"], [.. Authority(status, now), .. Unreadable(status), .. await Backups(call).ConfigureAwait(false), .. await DownNodes(call, now).ConfigureAwait(false), .. await Halted(call, now).ConfigureAwait(false), .. await Devices(call, status, now).ConfigureAwait(false)]);
        });

    private static IEnumerable<IReadOnlyList<string>> Authority(StatusResource status, DateTimeOffset now) => status.AuthorityNotAfter - now > Soon
        ? []
        : [["headquarters' CA", $"runs out at {Words.At(status.AuthorityNotAfter)}: set up another headquarters and enrol every node and agent there before"]];

    private static async Task<IEnumerable<IReadOnlyList<string>>> Backups(RemoteCall call) =>
        (await call.Client.Get("backups", ApiJson.Default.BackupsResource, call.Cancellation).ConfigureAwait(false)).Problem is { } problem ? [["backups", problem]] : [];

    private static IEnumerable<IReadOnlyList<string>> Unreadable(StatusResource status) =>
        (status.Unreadable ?? []).Take(Looked).Select(IReadOnlyList<string> (r) => [r.Owner, $"{r.Kind} {r.Number} of its journal ({r.Content}, position {r.Position}) can't be read, so it refuses what it is asked: {r.Why}"]);

    private static async Task<IEnumerable<IReadOnlyList<string>>> DownNodes(RemoteCall call, DateTimeOffset now)
    {
        var down = await call.Client.Get($"nodes?down=true&page-size={Looked}", ApiJson.Default.ListPageNodeResource, call.Cancellation).ConfigureAwait(false);
        return [
            .. down.Items.Select(IReadOnlyList<string> (n) => [n.Id, $"not linked{(n.LinkSince is { } since ? $" for {Words.Length(now - since)}" : "")}{(n.LinkReason.Length == 0 ? "" : $": {n.LinkReason}")}"]),
            .. More(down.Total, "fleet node list --down")];
    }

    // One that somebody halted needs nobody's look.
    private static async Task<IEnumerable<IReadOnlyList<string>>> Halted(RemoteCall call, DateTimeOffset now)
    {
        var over = await call.Client.Get($"rollouts?open=false&page-size={Looked}", ApiJson.Default.ListPageRolloutResource, call.Cancellation).ConfigureAwait(false);
        return over.Items.Where(r => r is { State: "halted", Failures.Count: > 0 } && now - r.EndedAt < LongAgo)
            .Select(IReadOnlyList<string> (r) => [$"rollout {r.Name}", $"halted {Words.Ago(r.EndedAt, now)}: {r.Why}; fleet rollout show {r.Name}"]);
    }

    private static async Task<IEnumerable<IReadOnlyList<string>>> Devices(RemoteCall call, StatusResource status, DateTimeOffset now)
    {
        var clones = status.Clones == 0 ? [] : (await call.Client.Get($"devices?cloned=true&page-size={Looked}", ApiJson.Default.ListPageDeviceResource, call.Cancellation).ConfigureAwait(false)).Items;
        var behind = await call.Client.Get($"devices?converged=false&page-size={Looked}", ApiJson.Default.ListPageDeviceResource, call.Cancellation).ConfigureAwait(false);
        return [
            .. clones.Select(IReadOnlyList<string> (d) => [$"{d.Name} ({d.Office})", $"a second machine has its identity, seen {Words.Ago(d.CloneSeenAt, now)}: fleet device show {d.Id}"]),
            .. behind.Items.Select(IReadOnlyList<string> (d) => [$"{d.Name} ({d.Office})", $"runs version {d.AppliedVersion}, wanted is {d.DesiredVersion}; last sync {Words.Ago(d.LastSync, now)}"]),
            .. More(behind.Total, "fleet device list --converged false")];
    }

    private static IEnumerable<IReadOnlyList<string>> More(int total, string how) => total > Looked ? [[$"and {total - Looked} more", how]] : [];
}
