using Fleet.Messages.Link;

namespace Fleet.Office.Roles;

/// <summary>The node's ports for agents: one a role.</summary>
public sealed class RolePorts : IAsyncDisposable
{
    private readonly Dictionary<NodeRole, AgentPort> _ports = new() { [NodeRole.Gateway] = new AgentPort(), [NodeRole.PushServer] = new AgentPort() };

    /// <summary>The roles that are ports.</summary>
    public IReadOnlyCollection<NodeRole> Roles => _ports.Keys;

    public AgentPort this[NodeRole role] => _ports[role];

    public async ValueTask DisposeAsync()
    {
        foreach (var port in _ports.Values)
            await port.DisposeAsync();
    }
}
