using Fleet.Contracts;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Company;

namespace Fleet.Headquarters.Console;

/// <summary>What the first page shows.</summary>
/// <param name="Incidents">Those that go on, the newest.</param>
/// <param name="Offices">Some of them; those with a node that is down first.</param>
/// <param name="Nodes">Of these offices.</param>
/// <param name="OfficeText">What offices are looked for; empty: any.</param>
public sealed record Overview(FleetStatus Status, Page<IncidentView> Incidents, Page<OfficeView> Offices, Page<NodeView> Nodes, Page<DeviceView> Devices, ListQuery Query, string OfficeText = "");

/// <summary>Which part of a list a page shows.</summary>
/// <param name="Path">The page's own address.</param>
/// <param name="Page">From 1.</param>
public sealed record ListQuery(string Path, string Text, string Office, int Page, int Rows)
{
    public bool IsFiltered => Text.Length > 0 || Office.Length > 0;

    /// <summary>The address of another page of the same list.</summary>
    public string Address(int page) => Path + string.Concat(
        $"?page={page}",
        Text.Length > 0 ? $"&q={Uri.EscapeDataString(Text)}" : "",
        Office.Length > 0 ? $"&office={Uri.EscapeDataString(Office)}" : "");
}

/// <summary>What the page of discovered devices shows.</summary>
/// <param name="Running">Polls under way.</param>
public sealed record DiscoveredOverview(IReadOnlyList<PollView> Running, Page<DiscoveredView> Devices, ListQuery Query);

/// <summary>What the page of rollouts shows.</summary>
/// <param name="Points">The distribution points of all offices.</param>
/// <param name="Stores">How full they are.</param>
public sealed record RolloutsOverview(
    Page<RolloutView> Rollouts, IReadOnlyList<TaskOverview> Tasks, IReadOnlyList<NodeView> Points, IReadOnlyDictionary<NodeId, (long Used, long Quota)> Stores, ListQuery Query);

/// <summary>A download task.</summary>
/// <param name="States">How many distribution points stand how.</param>
public sealed record TaskOverview(DownloadTask Task, IReadOnlyList<(string State, int Count)> States);
