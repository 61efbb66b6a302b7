using System.Text.Json;

namespace Fleet.Updates.Tuf;

/// <summary>The names of the four roles that every repository has.</summary>
public static class RoleNames
{
    public const string Root = "root";
    public const string Timestamp = "timestamp";
    public const string Snapshot = "snapshot";
    public const string Targets = "targets";

    public static IReadOnlyList<string> TopLevel { get; } = [Root, Timestamp, Snapshot, Targets];
}

/// <summary>What all metadata has.</summary>
/// <param name="Version">From 1; grows with each publication of the role.</param>
/// <param name="Expires">From this moment on it is refused.</param>
public abstract record Metadata(long Version, DateTimeOffset Expires);

/// <summary>The anchor: who signs the four roles. Changed only by itself.</summary>
/// <param name="ConsistentSnapshot">File names carry a version or a hash, so that a publication under way disturbs nobody.</param>
public sealed record Root(long Version, DateTimeOffset Expires, bool ConsistentSnapshot, IReadOnlyDictionary<string, Signers> Roles)
    : Metadata(Version, Expires)
{
    /// <summary>Whether a key that this root trusts for the role is not trusted by <paramref name="next"/>: it was taken from whoever has it.</summary>
    public bool LosesKeyIn(Root next, string role) => !Roles[role].Identities.IsSubsetOf(next.Roles[role].Identities);
}

/// <summary>Which snapshot is the newest; short-lived, so that a frozen mirror is noticed.</summary>
public sealed record Timestamp(long Version, DateTimeOffset Expires, MetaFile Snapshot) : Metadata(Version, Expires);

/// <summary>Which versions of the targets roles belong together.</summary>
/// <param name="Files">By file name: the role's name and <c>.json</c>.</param>
public sealed record Snapshot(long Version, DateTimeOffset Expires, IReadOnlyDictionary<string, MetaFile> Files) : Metadata(Version, Expires)
{
    private const string Extension = ".json";

    public static string FileOf(string role) => role + Extension;

    public static string RoleOf(string file) => file.EndsWith(Extension, StringComparison.Ordinal) ? file[..^Extension.Length] : file;
}

/// <summary>Files that a role vouches for, and to whom it passes that right on.</summary>
public sealed record Targets(long Version, DateTimeOffset Expires, IReadOnlyDictionary<string, TargetFile> Files, Delegations? Delegations)
    : Metadata(Version, Expires);

/// <summary>A metadata file as another one promises it.</summary>
/// <param name="Length">Bytes, where given.</param>
public sealed record MetaFile(long Version, long? Length = null, ContentHashes? Hashes = null)
{
    public bool Match(ReadOnlySpan<byte> content) => (Length is null || Length == content.Length) && (Hashes is null || Hashes.Match(content));
}

/// <summary>A file that may be downloaded.</summary>
/// <param name="Path">Its name in the repository: segments with <c>/</c> between.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Custom">What the publisher adds for the application; signed like the rest.</param>
public sealed record TargetFile(string Path, long Length, ContentHashes Hashes, JsonElement? Custom = null);
