using System.Globalization;
using Fleet.Contracts.Storage;

namespace Fleet.Updates.Apt;

/// <summary>
/// The releases of a suite on the disk, named by their date: <c>DATE.InRelease</c>, or <c>DATE.Release.gpg</c> and then, which makes it whole,
/// <c>DATE.Release</c>. Nothing of them is believed: who reads them verifies them again.
/// </summary>
internal sealed class GenerationFiles(string directory)
{
    private const string AskedFile = "asked";
    private const int MaxAsked = 10_000;

    public void Save(SignedRelease signed, DateTimeOffset date)
    {
        Directory.CreateDirectory(directory);
        if (signed.Signature is { } signature)
            DurableFile.Replace(PathOf(date.ToUnixTimeSeconds(), SignedRelease.ReleaseGpg), signature);
        DurableFile.Replace(PathOf(date.ToUnixTimeSeconds(), signed.Signature is null ? SignedRelease.InRelease : SignedRelease.Release), signed.Content);
    }

    /// <summary>The newest first.</summary>
    public IEnumerable<SignedRelease> Load()
    {
        foreach (var date in Dates().OrderDescending())
        {
            var (inRelease, release, signature) = (PathOf(date, SignedRelease.InRelease), PathOf(date, SignedRelease.Release), PathOf(date, SignedRelease.ReleaseGpg));
            if (File.Exists(inRelease))
                yield return new SignedRelease(File.ReadAllBytes(inRelease), null);
            else if (File.Exists(release) && File.Exists(signature))
                yield return new SignedRelease(File.ReadAllBytes(release), File.ReadAllBytes(signature));
        }
    }

    /// <summary>Removes all but the newest.</summary>
    public void Prune(int keep)
    {
        foreach (var date in Dates().OrderDescending().Skip(keep).ToList())
            foreach (var name in new[] { SignedRelease.InRelease, SignedRelease.Release, SignedRelease.ReleaseGpg })
                File.Delete(PathOf(date, name));
    }

    /// <summary>The indexes that devices asked for, and when one last did.</summary>
    public void SaveAsked(IEnumerable<KeyValuePair<string, DateTimeOffset>> asked)
    {
        Directory.CreateDirectory(directory);
        File.WriteAllLines(Path.Combine(directory, AskedFile), asked.Select(a => string.Create(CultureInfo.InvariantCulture, $"{a.Value.ToUnixTimeSeconds()} {a.Key}")));
    }

    public IEnumerable<KeyValuePair<string, DateTimeOffset>> LoadAsked()
    {
        var path = Path.Combine(directory, AskedFile);
        if (!File.Exists(path))
            yield break;
        foreach (var line in File.ReadLines(path).Take(MaxAsked))
            if (line.Split(' ', 2) is [var at, var index] && long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds < uint.MaxValue)
                yield return new(index, DateTimeOffset.FromUnixTimeSeconds(seconds));
    }

    private HashSet<long> Dates() => Directory.Exists(directory)
        ? [.. Directory.EnumerateFiles(directory).Select(f => Path.GetFileName(f).Split('.')[0]).Where(n => long.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out _)).Select(n => long.Parse(n, CultureInfo.InvariantCulture))]
        : [];

    private string PathOf(long date, string name) => Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"{date}.{name}"));
}
