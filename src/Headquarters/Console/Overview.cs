using Fleet.Headquarters.ReadModel;

namespace Fleet.Headquarters.Console;

/// <summary>What the first page shows.</summary>
public sealed record Overview(FleetStatus Status, Page<OfficeView> Offices, Page<NodeView> Nodes, Page<DeviceView> Devices, OverviewQuery Query);

/// <summary>Which devices the first page shows.</summary>
public sealed record OverviewQuery(string Text, string Office, int Page, int Rows)
{
    public bool IsFiltered => Text.Length > 0 || Office.Length > 0;

    /// <summary>The address of a page of the same devices.</summary>
    public string Address(int page) => "/" + string.Concat(
        $"?page={page}",
        Text.Length > 0 ? $"&q={Uri.EscapeDataString(Text)}" : "",
        Office.Length > 0 ? $"&office={Uri.EscapeDataString(Office)}" : "");
}

/// <summary>What the page of discovered devices shows.</summary>
/// <param name="Running">Polls under way.</param>
public sealed record DiscoveredOverview(IReadOnlyList<PollView> Running, Page<DiscoveredView> Devices, OverviewQuery Query);
