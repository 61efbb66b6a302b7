using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Fleet.NatLab.Fleets;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>A backup is made under full traffic, headquarters is lost, and another is made of the backup in a fresh directory: the same at the cut, and offices and devices go on with it.</summary>
public static class BackupRestore
{
    /// <summary>For each device, enough that they are under way.</summary>
    private const int Orders = 20;

    private const string Passphrase = "correct horse battery staple";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public static Journey Journey { get; } = new("backup-restore", "overlapping-subnets", Run, KernelOnly: true);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        var lab = (ProcessFleet)fleet;
        await lab.StartAll(step, interval: "1s").ConfigureAwait(false);
        var devices = lab.Topology.Devices.ToList();
        var ids = (await lab.Shown.Devices().ConfigureAwait(false)).Where(d => devices.Any(t => t.Name == d.Name)).Select(d => d.Id).ToList();
        var folder = lab.ScratchOf("backups");
        var (secret, file) = (Path.Combine(folder, "passphrase"), Path.Combine(folder, "lab.backup"));
        await File.WriteAllTextAsync(secret, Passphrase).ConfigureAwait(false);

        IReadOnlyDictionary<string, int> before, after;
        JsonElement made;
        await using (var orders = OrderBook.Begin(lab.Api, ids))
        {
            await orders.More(Orders, "orders are accepted", Patience).ConfigureAwait(false);
            before = orders.Newest;
            var (began, given, took) = (orders.Now, orders.Acknowledged, Stopwatch.StartNew());
            using var json = JsonDocument.Parse(await lab.Command("backup", "create", "--to", file, "--passphrase-file", secret, "--json").ConfigureAwait(false));
            made = json.RootElement.Clone();
            step(string.Create(CultureInfo.InvariantCulture,
                $"a backup was made in {took.Elapsed.TotalSeconds:0.0} s while {orders.Acknowledged - given} orders were acknowledged, the longest wait for one {orders.LongestPause(began).TotalSeconds:0.00} s: {made.GetProperty("events")} events up to position {made.GetProperty("cutPosition")}, {new FileInfo(file).Length / 1024} KiB"));
            await orders.More(Orders, "orders go on after the backup", Patience).ConfigureAwait(false);
            after = orders.Newest;
        }

        await lab.KillHeadquarters().ConfigureAwait(false);
        step("headquarters was killed, and its directory is lost");
        var restoring = Stopwatch.StartNew();
        var said = await lab.RestoreHeadquarters(file, secret).ConfigureAwait(false);
        var hash = made.GetProperty("journalHash").GetString()!;
        Require(said.Contains(hash, StringComparison.Ordinal), $"what was restored is not what is in the backup: {said}");
        step(string.Create(CultureInfo.InvariantCulture, $"restored in {restoring.Elapsed.TotalSeconds:0.0} s: the journal is the same, SHA-256 {hash[..16]}…"));

        var back = Stopwatch.StartNew();
        await lab.StartHeadquarters().ConfigureAwait(false);
        await lab.Until(async shown => (await shown.Nodes().ConfigureAwait(false)).Count(n => n.Linked) == lab.Topology.Nodes.Count(), "every office node is linked to the restored headquarters", Patience).ConfigureAwait(false);
        step(string.Create(CultureInfo.InvariantCulture, $"every office is linked again {back.Elapsed.TotalSeconds:0.0} s after its start"));
        foreach (var id in ids)
        {
            var kept = int.Parse((await lab.Shown.DeviceDetail(id).ConfigureAwait(false)).Device.Labels[OrderBook.Label], CultureInfo.InvariantCulture);
            Require(kept >= before[id] && kept <= after[id] + 1, $"{id} has order {kept}: {before[id]} was acknowledged before the backup, and {after[id]} at the end");
        }

        step("what was acknowledged before the backup is there, and nothing from after the end");
        await using (var orders = OrderBook.Begin(lab.Api, ids))
            await orders.More(Orders, "the restored headquarters decides", Patience).ConfigureAwait(false);
        await lab.UntilConverged(devices, Patience).ConfigureAwait(false);
        step(string.Create(CultureInfo.InvariantCulture, $"every device runs what the restored headquarters wants {back.Elapsed.TotalSeconds:0.0} s after its start"));
    }
}
