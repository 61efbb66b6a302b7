using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Serialization.Metadata;
using Fleet.Contracts;
using Fleet.Contracts.Api;

namespace Fleet.NatLab.Fleets;

/// <summary>Reads the REST API of the fleet under test.</summary>
public sealed class FleetReader(HttpClient api)
{
    public Task<StatusResource> Status() => Get("status", ApiJson.Default.StatusResource);

    public async Task<IReadOnlyList<NodeResource>> Nodes() => (await Get("nodes?page-size=500", ApiJson.Default.ListPageNodeResource).ConfigureAwait(false)).Items;

    public async Task<IReadOnlyList<OfficeResource>> Offices() => (await Get("offices?page-size=500", ApiJson.Default.ListPageOfficeResource).ConfigureAwait(false)).Items;

    public async Task<IReadOnlyList<DeviceResource>> Devices() => (await Get("devices?page-size=500", ApiJson.Default.ListPageDeviceResource).ConfigureAwait(false)).Items;

    /// <summary>How many devices are <c>online</c>, <c>offline</c> or <c>unknown</c>.</summary>
    public async Task<int> Count(string presence) => (await Get($"devices?presence={presence}&page-size=1", ApiJson.Default.ListPageDeviceResource).ConfigureAwait(false)).Total;

    public async Task<IReadOnlyList<PolicyResource>> Policies() => (await Get("policies?page-size=500", ApiJson.Default.ListPagePolicyResource).ConfigureAwait(false)).Items;

    /// <summary>Devices without an agent, as polls saw them.</summary>
    public async Task<IReadOnlyList<DiscoveredResource>> Discovered() => (await Get("discovered?page-size=500", ApiJson.Default.ListPageDiscoveredResource).ConfigureAwait(false)).Items;

    public async Task<IReadOnlyList<PollResource>> Polls() => (await Get("polls?page-size=500", ApiJson.Default.ListPagePollResource).ConfigureAwait(false)).Items;

    public Task<PollResource> Poll(string id) => Get($"polls/{id}", ApiJson.Default.PollResource);

    public Task<RolloutResource> Rollout(string name) => Get($"rollouts/{name}", ApiJson.Default.RolloutResource);

    /// <summary>Null: there is none.</summary>
    public Task<NodeResource?> Node(NodeId node) => Find($"nodes/{node}", ApiJson.Default.NodeResource);

    /// <summary>The device with this name; names are unique in a topology.</summary>
    public async Task<DeviceResource?> Device(string name) => (await Devices().ConfigureAwait(false)).FirstOrDefault(d => d.Name == name);

    public Task<DeviceDetailResource> DeviceDetail(string id) => Get($"devices/{id}", ApiJson.Default.DeviceDetailResource);

    /// <summary>Headquarters' nodes, the oldest first.</summary>
    public async Task<IReadOnlyList<ClusterNodeResource>> ClusterNodes() => (await Get("cluster/nodes", ApiJson.Default.ListPageClusterNodeResource).ConfigureAwait(false)).Items;

    /// <summary>The numbers of the device's own events in the order in which headquarters recorded them.</summary>
    public async Task<IReadOnlyList<ulong>> EventNumbers(string device) =>
        [.. (await Events(device).ConfigureAwait(false)).Where(e => e.Number > 0).Select(e => e.Number)];

    /// <summary>The numbers that a label of the device was set to, in the order of its history.</summary>
    public async Task<IReadOnlyList<int>> Labelled(string device, string label) =>
        [.. (await Events(device).ConfigureAwait(false)).Where(e => e.Kind == "labelled" && e.Text.StartsWith(label + "=", StringComparison.Ordinal))
            .Select(e => int.Parse(e.Text.Split('=', ' ')[1], CultureInfo.InvariantCulture))];

    /// <summary>A device's whole history, the oldest first.</summary>
    private async Task<IReadOnlyList<EventResource>> Events(string device)
    {
        var events = new List<EventResource>();
        string? after = null;
        do
        {
            var page = await Get($"devices/{device}/events?page-size=500{(after is null ? "" : $"&after={Uri.EscapeDataString(after)}")}", ApiJson.Default.ListPageEventResource).ConfigureAwait(false);
            events.AddRange(page.Items);
            after = page.Next;
        }
        while (after is not null);
        return [.. events.OrderBy(e => e.Position)];
    }

    /// <summary>The newest events of a device: what kind each is.</summary>
    public async Task<IReadOnlyList<string>> EventKinds(string device) => [.. (await Get($"devices/{device}/events?page-size=500", ApiJson.Default.ListPageEventResource).ConfigureAwait(false)).Items.Select(e => e.Kind)];

    private async Task<T> Get<T>(string path, JsonTypeInfo<T> type)
        where T : class => await Find(path, type).ConfigureAwait(false) ?? throw new IOException($"GET {path}: not found");

    private async Task<T?> Find<T>(string path, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            using var answer = await api.GetAsync(new Uri($"api/v1/{path}", UriKind.Relative)).ConfigureAwait(false);
            if (answer.StatusCode == HttpStatusCode.NotFound)
                return null;
            if (!answer.IsSuccessStatusCode)
                throw new IOException($"GET {path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync().ConfigureAwait(false)}");
            return await answer.Content.ReadFromJsonAsync(type).ConfigureAwait(false) ?? throw new IOException($"GET {path}: an empty answer");
        }
        catch (Exception fault) when (fault is HttpRequestException or TaskCanceledException)
        {
            throw new IOException($"GET {path}: {fault.Message}", fault);
        }
    }
}
