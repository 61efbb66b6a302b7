using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fleet.Backups;

/// <summary>What is in a backup; its last entry, since only then all of it is known.</summary>
/// <param name="Version">Of the headquarters that made it.</param>
/// <param name="MadeAt">When the journal was read.</param>
/// <param name="Storage">Where the journal lay: <c>sqlite</c> or <c>postgresql</c>. It can be restored to either.</param>
/// <param name="JournalFormat">A headquarters that knows only older ones can't restore it.</param>
/// <param name="CutPosition">The newest event in it: of those that were stored up to this position none is missing, and none behind it is there.</param>
/// <param name="LastPosition">The highest position that was ever given.</param>
/// <param name="JournalHash">SHA-256 over the hashes of all owners, in hexadecimal digits.</param>
/// <param name="WithContent">Whether the files of published packages are in it.</param>
/// <param name="LeftOut">Content that packages name and headquarters' disk had lost, by its hash.</param>
public sealed record BackupManifest(
    string Version,
    DateTimeOffset MadeAt,
    string Storage,
    int JournalFormat,
    long CutPosition,
    long LastPosition,
    long Events,
    long Snapshots,
    string JournalHash,
    IReadOnlyList<BackupOwner> Owners,
    bool WithContent,
    IReadOnlyList<string> LeftOut,
    IReadOnlyList<BackupEntry> Entries)
{
    /// <summary>The name of the manifest itself among the entries.</summary>
    internal const string Name = "manifest.json";

    internal byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, BackupJson.Default.BackupManifest);

    /// <exception cref="BackupException">It is none.</exception>
    internal static BackupManifest Read(byte[] bytes)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, BackupJson.Default.BackupManifest) ?? throw new JsonException("nothing is there");
        }
        catch (JsonException wrong)
        {
            throw new BackupException($"its manifest can't be read ({wrong.Message}): use the version of Fleet that made it");
        }
    }
}

/// <summary>An office, or the company: what the journal held of it.</summary>
/// <param name="Hash">SHA-256 over all fields of its events and snapshots in their order, in hexadecimal digits.</param>
public sealed record BackupOwner(string PersistenceId, long Events, long Snapshots, string Hash);

/// <summary>One piece of a backup.</summary>
/// <param name="Name">Of a file, its path in the data directory.</param>
public sealed record BackupEntry(string Name, long Length, string Sha256);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(BackupManifest))]
[JsonSerializable(typeof(BackupHeader))]
internal sealed partial class BackupJson : JsonSerializerContext;
