using System.Globalization;
using Fleet.Updates.Content;

namespace Fleet.Updates.Apt;

/// <summary>The signed list of a suite's indexes.</summary>
/// <param name="Suite">Empty: not told.</param>
/// <param name="Codename">Empty: not told.</param>
/// <param name="Date">When it was made; a later one replaces it.</param>
/// <param name="ValidUntil">After it nobody should believe it; null: it does not end.</param>
/// <param name="ByHash">Whether the source has its indexes under their hashes too.</param>
/// <param name="Files">Indexes by their path below the suite.</param>
/// <param name="OtherHashes">Names of the same indexes by their SHA-512, for those who ask by it.</param>
public sealed record ReleaseFile(
    string Suite,
    string Codename,
    DateTimeOffset Date,
    DateTimeOffset? ValidUntil,
    bool ByHash,
    IReadOnlyDictionary<string, ListedFile> Files,
    IReadOnlyDictionary<string, string> OtherHashes)
{
    private const int MaxFiles = 100_000;

    /// <exception cref="AptException">It is none, or lacks what a verified one must have.</exception>
    public static ReleaseFile Read(ReadOnlyMemory<byte> text, string subject)
    {
        using var stream = new MemoryStream(text.ToArray(), writable: false);
        if (Stanzas.Read(stream, subject).Take(2).ToList() is not [var fields])
            throw Malformed(subject, "it is not one stanza");
        if (!fields.TryGetValue("Date", out var date))
            throw Malformed(subject, "it has no Date");
        if (!fields.TryGetValue("SHA256", out var sums))
            throw Malformed(subject, "it lists no SHA256");
        return new ReleaseFile(
            fields.GetValueOrDefault("Suite", ""),
            fields.GetValueOrDefault("Codename", ""),
            Time(date, subject),
            fields.TryGetValue("Valid-Until", out var until) ? Time(until, subject) : null,
            string.Equals(fields.GetValueOrDefault("Acquire-By-Hash"), "yes", StringComparison.OrdinalIgnoreCase),
            FilesOf(sums, subject),
            OtherHashesOf(fields.GetValueOrDefault("SHA512", "")));
    }

    /// <summary>Whether this is the suite that is asked for under that name.</summary>
    public bool Is(string asked) => asked == Suite || asked == Codename;

    private static Dictionary<string, ListedFile> FilesOf(string sums, string subject)
    {
        var files = new Dictionary<string, ListedFile>(StringComparer.Ordinal);
        foreach (var parts in Rows(sums))
        {
            if (parts is not [var hash, var length, var path] || BlobHash.Parse(hash.ToLowerInvariant()) is not { } blob || !long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes))
                throw Malformed(subject, $"'{string.Join(' ', parts)}' lists no file");
            if (AptPath.Checked(path) is not { } safe)
                throw Malformed(subject, $"it lists a file that leads elsewhere: '{path}'");
            // Some makers list a file twice, with the same hash.
            if (!files.TryAdd(safe, new ListedFile(blob, bytes)) && files[safe] != new ListedFile(blob, bytes))
                throw Malformed(subject, $"it lists {safe} with two hashes");
            if (files.Count > MaxFiles)
                throw Malformed(subject, $"it lists more than {MaxFiles} files");
        }

        return files;
    }

    private static Dictionary<string, string> OtherHashesOf(string sums)
    {
        var paths = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var parts in Rows(sums))
            if (parts is [var hash, _, var path] && AptPath.Checked(path) is { } safe)
                paths[AptPath.DirectoryOf(safe) + hash.ToLowerInvariant()] = safe;
        return paths;
    }

    private static IEnumerable<string[]> Rows(string sums) =>
        sums.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(row => row.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries));

    // "Sat, 09 Nov 2024 10:21:27 UTC"; the day of the week says nothing more.
    private static DateTimeOffset Time(string text, string subject)
    {
        var parts = text[(text.IndexOf(',') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return parts is [.. { Length: 4 } day, "UTC" or "GMT" or "Z" or "+0000" or "-0000"]
               && DateTimeOffset.TryParseExact(string.Join(' ', day), "d MMM yyyy H:m:s", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw Malformed(subject, $"'{text}' is no date in UTC");
    }

    private static AptException Malformed(string subject, string what) => new(AptFault.Malformed, subject, what);
}

/// <summary>Content that a verified list names.</summary>
public readonly record struct ListedFile(BlobHash Hash, long Length);
