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

    private static Rows Table(IReadOnlyList<NodeResource> nodes, IReadOnlyList<DeviceResource> devices)
    {
        var links = new Table().Title("Office nodes").AddColumns("Office", "Node", "Link", "Roles");
        foreach (var node in nodes)
            links.AddRow(node.Office, node.Id, node.Linked ? $"[green]up[/] since {node.LinkSince:HH:mm:ss}" : $"[red]down[/] {Markup.Escape(node.LinkReason)}", Markup.Escape(string.Join(' ', node.Roles)));
        var synced = new Table().Title("Devices").AddColumns("Office", "Device", "Last sync", "Through", "Desired", "Applied");
        foreach (var device in devices.OrderBy(d => d.Office, StringComparer.Ordinal).ThenBy(d => d.Name, StringComparer.Ordinal))
            synced.AddRow(
                device.Office, Markup.Escape(device.Name), device.LastSync is { } at ? Ago(at) : "never", device.Through ?? "headquarters",
                $"{device.DesiredVersion}", device.Converged ? $"[green]{device.AppliedVersion}[/]" : $"[yellow]{device.AppliedVersion}[/]");
        return new Rows(links, synced, new Text("Ctrl-C stops and removes everything."));
    }

    private static string Ago(DateTimeOffset at) => $"{Math.Max(0, (DateTimeOffset.UtcNow - at).TotalSeconds):0} s ago";
}
