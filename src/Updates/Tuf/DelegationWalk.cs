namespace Fleet.Updates.Tuf;

/// <summary>
/// The search for one path among the roles that may vouch for it (specification 5.6.7): pre-order, depth first, each role once. The caller loads
/// what <see cref="Next"/> asks for and shows it to <see cref="Visit"/>; only roles whose every delegator covers the path are asked for.
/// </summary>
/// <typeparam name="TPlace">How the caller knows a place in the tree of delegations, to verify its children against it.</typeparam>
public sealed class DelegationWalk<TPlace>(string path)
{
    /// <summary>Delegated roles that one search visits; those of the reference clients.</summary>
    public const int MaxRoles = 32;

    private readonly Stack<(TPlace Delegator, DelegatedRole Role)> _ahead = new();
    private readonly HashSet<string> _visited = new(StringComparer.Ordinal);

    public TargetFile? Found { get; private set; }

    /// <summary>Takes in what a role says; the first call is for the top-level targets.</summary>
    public void Visit(TPlace place, Targets targets)
    {
        if (targets.Files.TryGetValue(path, out var file))
        {
            Found = file;
            _ahead.Clear();
            return;
        }

        var children = new List<DelegatedRole>();
        foreach (var role in targets.Delegations?.For(path) ?? [])
        {
            children.Add(role);
            if (!role.Terminating)
                continue;
            _ahead.Clear();
            break;
        }

        children.Reverse();
        foreach (var role in children)
            _ahead.Push((place, role));
    }

    /// <summary>The next role to load and visit; null at the end.</summary>
    /// <exception cref="TufException">There are more than <see cref="MaxRoles"/>.</exception>
    public (TPlace Delegator, DelegatedRole Role)? Next()
    {
        while (_ahead.TryPop(out var step))
        {
            if (!_visited.Add(step.Role.Name))
                continue;
            return _visited.Count <= MaxRoles ? step : throw new TufException(TufFault.TooMany, path, $"more than {MaxRoles} roles may vouch for it");
        }

        return null;
    }
}
