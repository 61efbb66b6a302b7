using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.NatLab.Topologies;

namespace Fleet.NatLab.Fleets;

/// <summary>An operator who uses the <c>fleet</c> command on headquarters' machine.</summary>
internal sealed class CliOperator(Func<IReadOnlyList<string>, Task<(int Code, string Output, string Errors)>> fleet, string scratch) : IOperator
{
    public Task AddOffice(OfficeId office) => Run("office", "add", office.Value);

    public async Task<CreatedToken> CreateToken(OfficeId office, string kind, string timeToLive, int uses) =>
        Read(await Run("token", "create", "--office", office.Value, "--kind", kind, "--ttl", timeToLive, "--uses", $"{uses}").ConfigureAwait(false), ApiJson.Default.CreatedToken);

    public Task RevokeToken(string id) => Run("token", "revoke", id);

    public Task Assign(NodeId node, string role) => Run("node", "assign", node.Value, "--role", role);

    public Task Unassign(NodeId node, string role) => Run("node", "unassign", node.Value, "--role", role);

    public Task SetWay(NodeId node, NodeId? through, string? dmzAddress) =>
        Run(["node", "set", node.Value, .. through is { } hop ? new[] { "--through", hop.Value } : dmzAddress is { } at ? ["--dmz", at] : ["--direct"]]);

    public Task Dial(string address) => Run("node", "dial", address);

    public Task RemoveNode(NodeId node) => Run("node", "remove", node.Value);

    public async Task<ulong> ApplyPolicy(PolicyContent policy)
    {
        var file = Path.Combine(scratch, $"policy-{policy.Name}.json");
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(policy, ApiJson.Default.PolicyContent)).ConfigureAwait(false);
        return Read(await Run("policy", "apply", file).ConfigureAwait(false), ApiJson.Default.PolicyChanged).Version;
    }

    public Task RequestSync(string device) => Run("device", "sync", device);

    public async Task<WakeResource> Wake(string device) => ReadOne(await Run("device", "wake", device).ConfigureAwait(false), ApiJson.Default.WakeOutcome).Wake;

    public async Task<PollResource> Poll(OfficeId office, string method, params string[] ranges) =>
        Read(await Run(["poll", "run", office.Value, "--method", method, .. ranges.SelectMany(r => new[] { "--range", r })]).ConfigureAwait(false), ApiJson.Default.PollResource);

    public async Task<InstallResource> InstallAgent(string discovered, string user, string keyFile) =>
        Read(await Run("discovered", "install", discovered, "--user", user, "--key", $"@{keyFile}").ConfigureAwait(false), ApiJson.Default.InstallResource);

    public Task AddAptRepository(string name, string from, string keyringFile, string suite) => Run("update", "apt", "add", name, "--from", from, "--keyring", keyringFile, "--suite", suite);

    private async Task<string> Run(params string[] command)
    {
        var (code, output, errors) = await fleet([.. command, "--json"]).ConfigureAwait(false);
        return code == 0 ? output : throw new LabException($"fleet {string.Join(' ', command)} failed ({code}): {errors}");
    }

    // A list with one in it.
    private static T ReadOne<T>(string output, JsonTypeInfo<T> type) => Read(output.Trim().TrimStart('[').TrimEnd(']'), type);

    private static T Read<T>(string output, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(output, type) ?? throw new JsonException("null");
        }
        catch (JsonException fault)
        {
            throw new LabException($"fleet printed what is no {typeof(T).Name}: {fault.Message}: {output}");
        }
    }
}
