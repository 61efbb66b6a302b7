using System.Collections.Concurrent;

namespace Fleet.Updates.Apt;

/// <summary>One verified release of a suite, with everything that it lists.</summary>
public sealed class Generation
{
    /// <summary>How far ahead of the clock a release may be dated: clocks differ.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromDays(1);

    private static readonly string[] Lists = ["Packages", "Sources"];

    // The first that is listed is read; the packed ones are what devices ask for, so they are here as a rule.
    private static readonly string[] Packings = [".xz", ".gz", ""];

    private readonly Dictionary<string, string> _byHash = new(StringComparer.Ordinal);

    private Generation(SignedRelease signed, ReleaseFile release)
    {
        (Signed, Release) = (signed, release);
        foreach (var (path, file) in release.Files)
            _byHash[AptPath.DirectoryOf(path) + file.Hash] = path;
    }

    public SignedRelease Signed { get; }

    public ReleaseFile Release { get; }

    /// <summary>The lists of packages that were read so far, by their path without packing.</summary>
    internal ConcurrentDictionary<string, Task<PackageTable>> Tables { get; } = new(StringComparer.Ordinal);

    /// <exception cref="AptException">It is not signed by a key of the ring, or not what it should be.</exception>
    public static Generation Read(SignedRelease signed, Keyring keyring, DateTimeOffset now, string subject)
    {
        var release = ReleaseFile.Read(signed.Verified(keyring, now, subject), subject);
        return release.Date <= now + Ahead
            ? new Generation(signed, release)
            : throw new AptException(AptFault.NotYetValid, subject, $"its Date is {release.Date:u}, and this machine's clock says {now:u}: one of them is wrong");
    }

    /// <summary>Checks that this may replace what was accepted before.</summary>
    /// <param name="suite">As it is asked for.</param>
    /// <exception cref="AptException">It is older, of another suite, or expired.</exception>
    public void MayFollow(Generation? before, string suite, DateTimeOffset now, string subject)
    {
        if (before is not null && Release.Date < before.Release.Date)
            throw new AptException(AptFault.Rollback, subject, $"its Date is {Release.Date:u}, older than {before.Release.Date:u}, which was accepted before: the source is rolled back");
        // Some makers name their suites otherwise than they serve them; one that named it right before is not one of those.
        if (before is not null && before.Release.Is(suite) && !Release.Is(suite))
            throw new AptException(AptFault.WrongSuite, subject, $"it is of suite '{Release.Suite}', codename '{Release.Codename}'");
        CheckExpiry(now, subject);
    }

    /// <exception cref="AptException">Its Valid-Until has passed.</exception>
    public void CheckExpiry(DateTimeOffset now, string subject)
    {
        if (Release.ValidUntil <= now)
            throw new AptException(AptFault.Expired, subject, $"it was valid until {Release.ValidUntil:u}, and it is {now:u}: the source is frozen, or this machine's clock is wrong");
    }

    /// <summary>The index of that path, <c>by-hash</c> or plain; null: it is not listed.</summary>
    public (string Path, ListedFile File)? Find(string path)
    {
        var parts = path.Split('/');
        if (parts is [.. var above, "by-hash", var algorithm, var hash])
        {
            var key = string.Concat(above.Select(a => a + "/")) + hash;
            var plain = algorithm switch
            {
                "SHA256" => _byHash.GetValueOrDefault(key),
                "SHA512" => Release.OtherHashes.GetValueOrDefault(key),
                _ => null,
            };
            return plain is not null && Release.Files.TryGetValue(plain, out var named) ? (plain, named) : null;
        }

        return Release.Files.TryGetValue(path, out var file) ? (path, file) : null;
    }

    /// <summary>The lists of packages and sources, by their path without packing.</summary>
    public IEnumerable<string> PackageLists() => Release.Files.Keys.Select(Unpacked).Where(p => Lists.Contains(AptPath.FileOf(p))).Distinct(StringComparer.Ordinal);

    /// <summary>The ways in which a list is packed, best first.</summary>
    public IEnumerable<string> PackingsOf(string list) => Packings.Select(p => list + p).Where(Release.Files.ContainsKey);

    public static string Unpacked(string path) => Packings.FirstOrDefault(p => p.Length > 0 && path.EndsWith(p, StringComparison.Ordinal)) is { } packing ? path[..^packing.Length] : path;
}
