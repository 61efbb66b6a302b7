using System.Globalization;
using Fleet.Contracts.Storage;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;

namespace Fleet.Updates.Mirroring;

/// <summary>
/// The metadata that a mirror serves, in a directory under the names that TUF clients ask for. What is written was verified; the timestamp comes last, so
/// that every client sees one whole generation or the one before it. One writer at a time.
/// </summary>
public sealed class MirroredMetadata
{
    /// <summary>Versions of a role that stay for clients in the middle of a refresh; roots all stay.</summary>
    private const int KeptVersions = 10;

    private const string TimestampFile = "timestamp.json";
    private readonly string _directory;

    public MirroredMetadata(string directory) => _directory = Directory.CreateDirectory(directory).FullName;

    /// <summary>Null: there is none of that name.</summary>
    public byte[]? Read(string name)
    {
        var path = PathOf(_directory, name);
        return File.Exists(path) ? File.ReadAllBytes(path) : null;
    }

    /// <summary>The file that a client may ask for by that name; null: no such name is served.</summary>
    public static string? PathOf(string directory, string name) =>
        // Letters, digits, dots: no such name leads out of the directory or to a file that is being written.
        name.EndsWith(".json", StringComparison.Ordinal) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '.') ? Path.Combine(directory, name) : null;

    /// <summary>Publishes what a refresh established.</summary>
    /// <param name="firstRoot">Where the chain of roots begins.</param>
    /// <param name="root">Brings a root by its version; not trusted.</param>
    /// <exception cref="TufException">A root in between is not to be had, or is not genuine.</exception>
    public async Task Publish(TrustedMetadata trusted, IMetadataStore store, byte[] firstRoot, DateTimeOffset now, Func<long, Task<byte[]?>> root)
    {
        await Roots(trusted.Root, firstRoot, now, root).ConfigureAwait(false);
        // Without consistent snapshots files change under clients that read them; no such repository is mirrored.
        if (!trusted.Root.ConsistentSnapshot)
            throw new TufException(TufFault.Malformed, RoleNames.Root, "the repository has no consistent snapshots; it can't be mirrored");
        Write($"{trusted.Targets!.Version}.{Snapshot.FileOf(RoleNames.Targets)}", store.Read(Snapshot.FileOf(RoleNames.Targets))!);
        Write($"{trusted.Snapshot!.Version}.{Snapshot.FileOf(RoleNames.Snapshot)}", store.Read(Snapshot.FileOf(RoleNames.Snapshot))!);
        var timestamp = store.Read(TimestampFile)!;
        if (Read(TimestampFile) is not { } served || !served.AsSpan().SequenceEqual(timestamp))
            DurableFile.Replace(Path.Combine(_directory, TimestampFile), timestamp);
        Prune(RoleNames.Targets, trusted.Targets.Version);
        Prune(RoleNames.Snapshot, trusted.Snapshot.Version);
    }

    private async Task Roots(Root newest, byte[] firstRoot, DateTimeOffset now, Func<long, Task<byte[]?>> root)
    {
        var trusted = TrustedMetadata.From(firstRoot, now);
        Write(RootOf(trusted.Root.Version), firstRoot);
        while (trusted.Root.Version < newest.Version)
        {
            var next = trusted.Root.Version + 1;
            var bytes = Read(RootOf(next)) ?? await root(next).ConfigureAwait(false) ?? throw new TufException(TufFault.Missing, RoleNames.Root, $"version {next} is not at the source");
            trusted = trusted.WithRoot(bytes);
            Write(RootOf(next), bytes);
        }
    }

    private void Prune(string role, long newest)
    {
        var ending = $".{Snapshot.FileOf(role)}";
        foreach (var file in Directory.EnumerateFiles(_directory, $"*{ending}"))
            if (long.TryParse(Path.GetFileName(file)[..^ending.Length], NumberStyles.None, CultureInfo.InvariantCulture, out var version) && version <= newest - KeptVersions)
                File.Delete(file);
    }

    // A numbered file never changes.
    private void Write(string name, byte[] content)
    {
        if (!File.Exists(Path.Combine(_directory, name)))
            DurableFile.Replace(Path.Combine(_directory, name), content);
    }

    private static string RootOf(long version) => $"{version}.{Snapshot.FileOf(RoleNames.Root)}";
}
