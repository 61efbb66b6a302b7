using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Repository;

namespace Fleet.Headquarters.Updates;

/// <summary>
/// Changes who signs a repository: makes the keys that are to come, drafts the next root that trusts them, and takes it once it is signed. A key that is
/// to come lies beside the present one until a root trusts it, so that a crash in between costs nothing. One caller at a time.
/// </summary>
internal sealed class RootChanges(RepositoryWriter writer, RoleKeys keys)
{
    /// <summary>The roles whose keys sign at headquarters, whenever something is published.</summary>
    public static IReadOnlyList<string> Online { get; } = [RoleNames.Targets, RoleNames.Snapshot, RoleNames.Timestamp];

    /// <summary>The next root, signed by what is at hand.</summary>
    /// <param name="rotate">Roles that get new keys.</param>
    /// <param name="root">Who alone signs roots from the next on; null: as <paramref name="rotate"/> says.</param>
    public byte[] Draft(DateTimeOffset now, IReadOnlyCollection<string> rotate, TufKey? root)
    {
        var signers = rotate.Where(r => r != RoleNames.Root || root is null).ToDictionary(r => r, r => By((keys.FindNext(r) ?? keys.MakeNext(r)).Public));
        if (root is not null)
            signers[RoleNames.Root] = By(root);
        SigningKey?[] atHand = [keys.Find(RoleNames.Root), signers.ContainsKey(RoleNames.Root) && root is null ? keys.FindNext(RoleNames.Root) : null];
        return MetadataDocument.Sign(writer.DraftRoot(now, signers), atHand.OfType<SigningKey>());
    }

    /// <summary>Why headquarters could not go on with this root; null: it could.</summary>
    /// <exception cref="FormatException">It is no root.</exception>
    public string? Problem(byte[] document)
    {
        var root = MetadataDocument.ReadRoot(document);
        if (root.Version != writer.Root!.Version + 1)
            return $"it is root {root.Version}, and {writer.Root.Version + 1} is due: export the next root again, and sign that";
        return Online.FirstOrDefault(role => !CanSign(role, root.Roles[role])) is { } lost
            ? $"headquarters does not have the keys that are to sign '{lost}' by it: change keys by 'fleet update root export --rotate {lost}'"
            : null;
    }

    /// <summary>Takes the next root.</summary>
    /// <exception cref="TufException">Clients would refuse it.</exception>
    public void Publish(DateTimeOffset now, byte[] document)
    {
        writer.PublishRoot(now, document);
        Settle();
    }

    /// <summary>The keys that the newest root trusts take the place of those before them.</summary>
    public void Settle()
    {
        foreach (var (role, signers) in writer.Root!.Roles)
            if (keys.FindNext(role) is { } next && signers.Keys.ContainsKey(next.Id))
                keys.TakeNext(role);
        // Who signs roots elsewhere does not want this one to look as if it did.
        if (keys.Find(RoleNames.Root) is { } own && !writer.Root!.Roles[RoleNames.Root].Keys.ContainsKey(own.Id))
            keys.Forget(RoleNames.Root);
    }

    private bool CanSign(string role, Signers signers) =>
        signers.Threshold == 1 && new[] { keys.Find(role), keys.FindNext(role) }.OfType<SigningKey>().Any(k => signers.Keys.ContainsKey(k.Id));

    private static Signers By(TufKey key) => new(new Dictionary<string, TufKey> { [MetadataWriter.IdOf(key)] = key }, Threshold: 1);
}
