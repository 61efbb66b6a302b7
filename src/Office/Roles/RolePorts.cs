using Fleet.Messages.Link;

namespace Fleet.Office.Roles;

/// <summary>The node's ports: one a role, and one for links.</summary>
public sealed class RolePorts : IAsyncDisposable
{
    private readonly Dictionary<NodeRole, RolePort> _ports = new()
    {
        [NodeRole.Gateway] = new RolePort(), [NodeRole.PushServer] = new RolePort(), [NodeRole.DistributionPoint] = new RolePort(),
    };

    /// <summary>The roles that are ports.</summary>
    public IReadOnlyCollection<NodeRole> Roles => _ports.Keys;

    /// <summary>Where links are handed in, and where headquarters dials.</summary>
    public RolePort Links { get; } = new();

    public RolePort this[NodeRole role] => _ports[role];

    public async ValueTask DisposeAsync()
    {
        foreach (var port in _ports.Values.Append(Links))
            await port.DisposeAsync();
    }
}
