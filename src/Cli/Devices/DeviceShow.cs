using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Cli.Output;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Devices;

/// <summary><c>fleet device show</c>.</summary>
internal static class DeviceShow
{
    public static Command Make(FleetCommands commands)
    {
        var device = DeviceArgument.Make();
        return commands.Remote("show", "Shows a device: what it should run, what it runs, the delay between, its machine and its history.", "fleet device show till-4",
            async call =>
            {
                var found = await DeviceArgument.Find(call, device).ConfigureAwait(false);
                if (call.Display.Json)
                {
                    call.Display.Show(found, ApiJson.Default.DeviceDetailResource, () => { });
                    return;
                }

                var events = await call.Client.Get(Query.Of(Query.Path("devices", found.Device.Id, "/events"), ("page-size", "10")), ApiJson.Default.ListPageEventResource, call.Cancellation).ConfigureAwait(false);
                call.Display.Facts([.. Identity(found, call.Terminal.Clock.GetUtcNow()), .. Machine(found.Inventory)]);
                call.Display.Section("Settings that run", ["SETTING", "VALUE"], found.Settings.OrderBy(s => s.Key, StringComparer.Ordinal).Select(IReadOnlyList<string> (s) => [s.Key, s.Value]));
                call.Display.Section("Packages", ["PACKAGE", "WANTED", "INSTALLED", "STEP", "DETAIL", "SINCE"],
                    found.Packages.Select(IReadOnlyList<string> (p) => [p.Name, p.Wanted ?? Words.None, p.Installed ?? Words.None, p.Step, p.Detail ?? Words.None, Words.At(p.Since)]));
                call.Display.Section("Problems", ["PROBLEM"], found.Problems.Select(IReadOnlyList<string> (p) => [p]));
                call.Display.Section("Last events", Words.EventColumns, events.Items.Select(Words.EventRow));
            },
            device);
    }

    private static IEnumerable<(string Name, string Value)> Identity(DeviceDetailResource found, DateTimeOffset now)
    {
        var device = found.Device;
        return
        [
            ("device", device.Id),
            ("name", device.Name),
            ("office", device.Office),
            ("labels", Words.Labels(device.Labels)),
            ("presence", $"{device.Presence}{(device.PresenceSince is null ? "" : $" since {Words.At(device.PresenceSince)}")}: {device.PresenceWhy}"),
            ("connects", $"{found.Connects}{(found.Connection is null ? "" : $", set to {found.Connection}")}{(found.ConnectionRefusal is null ? "" : $": {found.ConnectionRefusal}")}"),
            ("last wake-up", found.Wake is not { } wake ? "" : $"{wake.State} {Words.At(wake.RequestedAt)}{(wake.Channel is null ? "" : $" by {wake.Channel}")}{(wake.Milliseconds is { } took ? $" in {Words.Length(TimeSpan.FromMilliseconds(took))}" : "")}"),
            ("last sync", device.LastSync is null ? "never" : $"{Words.Ago(device.LastSync, now)}, through {device.Through ?? "headquarters"}"),
            ("seen on network", found.SeenOnNetwork is { } seen ? $"{Words.Ago(seen.At, now)}, by {seen.By} with {seen.With}" : ""),
            ("desired version", $"{device.DesiredVersion}{(found.DesiredAt is null ? "" : $" since {Words.At(found.DesiredAt)}")}"),
            ("runs version", $"{device.AppliedVersion}{(found.AppliedKnownAt is null ? "" : $" since {Words.At(found.AppliedKnownAt)}")}"),
            ("delay", found.DelaySeconds is { } delay ? Words.Length(TimeSpan.FromSeconds(delay))
                : device.Converged || found.DesiredAt is null ? "" : $"waiting for {Words.Length(now - found.DesiredAt.Value)}"),
            ("report", $"{device.ReportedVersion}{(device.ReportedAt is null ? "" : $" at {Words.At(device.ReportedAt)}")}"),
            ("clone", device.CloneSeenAt is null ? "" : $"seen {Words.At(device.CloneSeenAt)}: {found.CloneEvidence}"),
            ("agent", device.AgentVersion),
            ("enrolled", Words.At(found.EnrolledAt)),
            ("certificate until", $"{Words.At(found.CertificateNotAfter)}, key generation {found.KeyGeneration}"),
        ];
    }

    private static IEnumerable<(string Name, string Value)> Machine(InventoryResource? machine) => machine is null ? [] :
    [
        ("host", machine.HostName),
        ("system", $"{machine.OsName} {machine.OsVersion}, {machine.Kernel}, {machine.Architecture}"),
        ("processor", $"{machine.CpuCores} × {machine.CpuModel}"),
        ("memory", Words.Size(machine.MemoryBytes)),
        ("booted", machine.BootedAt is null ? "" : Words.At(machine.BootedAt)),
        .. machine.Disks.Select(d => ($"disk {d.Mount}", $"{Words.Size(d.FreeBytes)} free of {Words.Size(d.SizeBytes)}, {d.FileSystem}")),
        .. machine.Interfaces.Select(i => ($"network {i.Name}", $"{i.Mac} {string.Join(' ', i.Addresses)}".Trim())),
    ];
}
