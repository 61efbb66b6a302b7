using System.Net.Http.Json;
using System.Text.Json.Serialization.Metadata;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.NatLab.Topologies;

namespace Fleet.NatLab.Fleets;

/// <summary>An operator who uses the REST API itself, as the <c>fleet</c> command does.</summary>
public sealed class ApiOperator(Func<HttpClient> api) : IOperator
{
    public Task AddOffice(OfficeId office) => Send(HttpMethod.Post, "offices", JsonContent.Create(new NewOffice(office.Value), ApiJson.Default.NewOffice));

    public Task<CreatedToken> CreateToken(OfficeId office, string kind, string timeToLive, int uses) =>
        Send(HttpMethod.Post, "tokens", JsonContent.Create(new NewToken(office.Value, kind, uses, timeToLive), ApiJson.Default.NewToken), ApiJson.Default.CreatedToken);

    public Task RevokeToken(string id) => Send(HttpMethod.Delete, $"tokens/{id}");

    public Task Assign(NodeId node, string role) => Change(node, new RoleChange(Add: [role]));

    public Task Unassign(NodeId node, string role) => Change(node, new RoleChange(Remove: [role]));

    public Task SetWay(NodeId node, NodeId? through, string? dmzAddress) =>
        Send(HttpMethod.Post, $"nodes/{node}/way", JsonContent.Create(new WayChange(through?.Value, dmzAddress), ApiJson.Default.WayChange));

    public Task Dial(string address) => Send(HttpMethod.Post, "nodes/dial", JsonContent.Create(new NodeToDial(address), ApiJson.Default.NodeToDial));

    public Task RemoveNode(NodeId node) => Send(HttpMethod.Delete, $"nodes/{node}");

    public async Task<ulong> ApplyPolicy(PolicyContent policy) =>
        (await Send(HttpMethod.Put, $"policies/{policy.Name}", JsonContent.Create(policy, ApiJson.Default.PolicyContent), ApiJson.Default.PolicyChanged).ConfigureAwait(false)).Version;

    /// <param name="within">How long to wait for the answer.</param>
    public async Task Label(string device, string label, string value, TimeSpan within)
    {
        var answer = Send(HttpMethod.Post, $"devices/{device}/labels", JsonContent.Create(new LabelChange(new Dictionary<string, string> { [label] = value }), ApiJson.Default.LabelChange));
        try
        {
            (await answer.WaitAsync(within).ConfigureAwait(false)).Dispose();
        }
        catch (TimeoutException)
        {
            throw new LabException($"no answer to an order for {device} within {within.TotalSeconds:0.#} s");
        }
    }

    public Task RequestSync(string device) => Send(HttpMethod.Post, $"devices/{device}/sync");

    public async Task<WakeResource> Wake(string device)
    {
        var asked = await Send(HttpMethod.Post, $"devices/{device}/wake", null, ApiJson.Default.WakeRequested).ConfigureAwait(false);
        WakeResource? wake = null;
        await TestSupport.Until.True(async () =>
        {
            wake = (await Send(HttpMethod.Get, $"devices/{device}", null, ApiJson.Default.DeviceDetailResource).ConfigureAwait(false)).Wake;
            return wake is { EndedAt: not null } && wake.Id == asked.Wake;
        }, $"{device} is woken").ConfigureAwait(false);
        return wake!;
    }

    /// <summary>Begins wake-ups of all devices of all offices.</summary>
    public Task<OfficesWakeRequested> WakeAll() => Send(HttpMethod.Post, "offices/wake", JsonContent.Create(new OfficesToWake(null), ApiJson.Default.OfficesToWake), ApiJson.Default.OfficesWakeRequested);

    public async Task<PollResource> Poll(OfficeId office, string method, params string[] ranges)
    {
        var poll = await BeginPoll(new NewPoll(office.Value, method, Ranges: ranges)).ConfigureAwait(false);
        await TestSupport.Until.True(async () =>
            (poll = await Send(HttpMethod.Get, $"polls/{poll.Id}", null, ApiJson.Default.PollResource).ConfigureAwait(false)).EndedAt is not null, $"poll {poll.Id} ends").ConfigureAwait(false);
        return poll;
    }

    public async Task<InstallResource> InstallAgent(string discovered, string user, string keyFile)
    {
        var wanted = JsonContent.Create(new NewInstall(user, PrivateKey: await File.ReadAllTextAsync(keyFile).ConfigureAwait(false)), ApiJson.Default.NewInstall);
        var install = await Send(HttpMethod.Post, $"discovered/{discovered}/install", wanted, ApiJson.Default.InstallResource).ConfigureAwait(false);
        await TestSupport.Until.True(async () =>
            (install = await Send(HttpMethod.Get, $"installs/{install.Id}", null, ApiJson.Default.InstallResource).ConfigureAwait(false)).EndedAt is not null, $"installation {install.Id} ends").ConfigureAwait(false);
        return install.State == "installed" ? install : throw new LabException($"installation {install.Id} is {install.State}: {install.Detail}");
    }

    public async Task AddAptRepository(string name, string from, string keyringFile, string suite) =>
        await Send(HttpMethod.Put, $"apt/{name}", JsonContent.Create(new AptRepositoryContent(from, await File.ReadAllBytesAsync(keyringFile).ConfigureAwait(false), [suite]), ApiJson.Default.AptRepositoryContent)).ConfigureAwait(false);

    public Task<PollResource> BeginPoll(NewPoll poll) => Send(HttpMethod.Post, "polls", JsonContent.Create(poll, ApiJson.Default.NewPoll), ApiJson.Default.PollResource);

    public Task CancelPoll(string id) => Send(HttpMethod.Post, $"polls/{id}/cancel");

    private Task Change(NodeId node, RoleChange change) => Send(HttpMethod.Post, $"nodes/{node}/roles", JsonContent.Create(change, ApiJson.Default.RoleChange));

    private async Task<T> Send<T>(HttpMethod method, string path, HttpContent? content, JsonTypeInfo<T> answer)
    {
        using var answered = await Send(method, path, content).ConfigureAwait(false);
        return await answered.Content.ReadFromJsonAsync(answer).ConfigureAwait(false) ?? throw new LabException($"{method} {path}: an empty answer");
    }

    private async Task<HttpResponseMessage> Send(HttpMethod method, string path, HttpContent? content = null)
    {
        try
        {
            using var request = new HttpRequestMessage(method, new Uri($"api/v1/{path}", UriKind.Relative)) { Content = content };
            var answered = await api().SendAsync(request).ConfigureAwait(false);
            if (answered.IsSuccessStatusCode)
                return answered;
            using (answered)
                throw new LabException($"{method} {path}: {(int)answered.StatusCode} {await answered.Content.ReadAsStringAsync().ConfigureAwait(false)}");
        }
        catch (Exception fault) when (fault is HttpRequestException or TaskCanceledException)
        {
            throw new LabException($"{method} {path}: {fault.Message}");
        }
    }
}
