using Fleet.Headquarters.Company;
using Fleet.Headquarters.Policies;
using Fleet.Messages.Company;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Offices;

/// <summary>
/// Which nodes keep their link and which devices keep a line: those that should by their own setting or by policy, as far as the company's budget
/// reaches. Who has a place keeps it; new places go to those who enrolled first. Pure.
/// </summary>
internal static class ConnectionRule
{
    /// <summary>How many nodes and devices of the office should stay connected.</summary>
    public static (int Links, int Devices) Wanted(Office office) =>
        (office.Nodes.Values.Count(n => Wants(office, n)), office.Devices.Values.Count(d => DesiredState.WantsLine(office, d)));

    /// <summary>What to journal so that nobody stays connected without a place, and nobody waits for one that there is.</summary>
    /// <param name="grant">The company's newest answer; null while it has not answered: who has a place keeps it meanwhile.</param>
    public static IReadOnlyList<IOfficeEvent> Decide(Office office, ConnectionsGranted? grant, OfficeOptions options, DateTimeOffset now) =>
        [.. Nodes(office, grant, options, now), .. Devices(office, grant, now)];

    private static IEnumerable<IOfficeEvent> Nodes(Office office, ConnectionsGranted? grant, OfficeOptions options, DateTimeOffset now)
    {
        var place = 0;
        foreach (var node in office.Nodes.Values.OrderBy(n => n.Periodic).ThenBy(n => n.EnrolledAt).ThenBy(n => n.NodeId.Value, StringComparer.Ordinal))
        {
            var wants = Wants(office, node);
            // One that was never asked for keeps its link until the company has said no: links are the rule, and refusals rare.
            var refused = wants && ++place > (grant?.Links ?? int.MaxValue) && place <= grant!.AskedLinks;
            var why = refused ? Refusal(ConnectionBudgets.LinksSetting, "office nodes", grant!.LinksBudget, grant.LinksTaken) : "";
            var (periodic, interval) = (!wants || refused, IntervalOf(office, node, options));
            if (periodic != node.Periodic || (periodic && interval != node.DialInterval) || (why.Length == 0) != (node.LinkWhy.Length == 0))
                yield return new NodeLinkDecided(office.Id, node.NodeId, node.DesiredVersion + 1, periodic, interval, why, now);
        }
    }

    private static IEnumerable<IOfficeEvent> Devices(Office office, ConnectionsGranted? grant, DateTimeOffset now)
    {
        var place = 0;
        foreach (var device in office.Devices.Values.OrderByDescending(d => d.Known.HasPlace).ThenBy(d => d.Known.EnrolledAt).ThenBy(d => d.Id.Value, StringComparer.Ordinal))
        {
            var known = device.Known;
            if (!DesiredState.WantsLine(office, device))
            {
                if (known.HasPlace || known.ConnectionWhy.Length > 0)
                    yield return new DeviceConnectionDecided(office.Id, device.Id, HasPlace: false, "", now);
                continue;
            }

            place++;
            if (grant is null)
                continue;
            if (place <= grant.Devices)
            {
                if (!known.HasPlace)
                    yield return new DeviceConnectionDecided(office.Id, device.Id, HasPlace: true, "", now);
            }
            else if (place <= grant.AskedDevices && (known.HasPlace || known.ConnectionWhy.Length == 0))
            {
                var why = Refusal(ConnectionBudgets.DevicesSetting, "devices", grant.DevicesBudget, grant.DevicesTaken);
                yield return new DeviceConnectionDecided(office.Id, device.Id, HasPlace: false, why, now);
            }
        }
    }

    private static bool Wants(Office office, NodeSnapshot node) => node.AlwaysLinked ?? DesiredState.SettingOf(office, node.DeviceId, PolicySettings.NodeLink) != PolicySettings.Periodic;

    private static TimeSpan IntervalOf(Office office, NodeSnapshot node, OfficeOptions options) =>
        office.Devices.TryGetValue(node.DeviceId, out var device) ? DesiredState.IntervalOf(office, device, options) : options.SyncInterval;

    private static string Refusal(string setting, string what, int budget, int taken) =>
        $"{setting} lets {budget} {what} stay connected, and {taken} do: it goes on in periodic mode. Raise the setting, or let others be periodic";
}
