using Fleet.Contracts.Api;
using Fleet.NatLab.Fleets;
using Spectre.Console;

namespace Fleet.NatLab.Demo;

/// <summary>The live view of the demo: offices, links, devices, last sync.</summary>
internal static class DemoView
{
    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(1);

    public static Task Show(ProcessFleet fleet, CancellationToken stop) => AnsiConsole.Live(new Text("")).StartAsync(async live =>
    {
        using var tick = new PeriodicTimer(Refresh);
        do
        {
            try
            {
                live.UpdateTarget(Table(await fleet.Shown.Nodes().ConfigureAwait(false), await fleet.Shown.Devices().ConfigureAwait(false)));
            }
            catch (IOException unreachable)
            {
                live.UpdateTarget(new Markup($"[red]{Markup.Escape(unreachable.Message)}[/]"));
            }
        }
        while (await tick.WaitForNextTickAsync(stop).ConfigureAwait(false));
    });

    public static IEnumerable<DeviceResource> InOrder(IEnumerable<DeviceResource> devices) => devices.OrderBy(d => d.Office, StringComparer.Ordinal).ThenBy(d => d.Name, StringComparer.Ordinal);

    // 80 columns and, with what is said above it, 24 lines are enough for it.
    private static Rows Table(IReadOnlyList<NodeResource> nodes, IReadOnlyList<DeviceResource> devices)
    {
        var links = Grid("Office node", "Link", "Roles", "Devices seen");
        foreach (var node in nodes)
        {
            links.AddRow(
                Markup.Escape(node.Id),
                node.Linked ? $"[green]up[/] for {Length(node.LinkSince)}" : $"[red]down[/] for {Length(node.LinkSince)}: {Markup.Escape(node.LinkReason)}",
                Markup.Escape(string.Join(' ', node.Roles)),
                $"{devices.Count(d => d.Through == node.Id)} of {devices.Count(d => d.Office == node.Office)}");
        }

        var synced = Grid("Device", "Office", "Last sync", "Through", "Runs", "Desired");
        foreach (var device in InOrder(devices))
        {
            synced.AddRow(
                Markup.Escape(device.Name), Markup.Escape(device.Office), device.LastSync is null ? "never" : $"{Length(device.LastSync)} ago",
                device.LastSync is null ? "" : Markup.Escape(device.Through ?? "headquarters"),
                device.Converged ? $"[green]{device.AppliedVersion}[/]" : $"[yellow]{device.AppliedVersion}[/]", $"{device.DesiredVersion}");
        }

        return new Rows(links, new Text(""), synced, new Text("\nCtrl-C stops and removes everything."));
    }

    private static Table Grid(params string[] columns) => new Table().Border(TableBorder.None)
        .AddColumns([.. columns.Select(c => new TableColumn($"[bold]{c}[/]").PadRight(2))]);

    private static string Length(DateTimeOffset? since) => since is not { } at ? "?" : Math.Max(0, (DateTimeOffset.UtcNow - at).TotalSeconds) switch
    {
        < 120 and var seconds => $"{seconds:0} s",
        var seconds => $"{Math.Floor(seconds / 60):0} min",
    };
}
