namespace Fleet.Updates.Tuf.Client;

/// <summary>Paths of target files, which a hostile repository may choose.</summary>
internal static class TargetPath
{
    /// <exception cref="TufException">The path does not name a file below the repository.</exception>
    public static void Check(string path)
    {
        if (path.Split('/').Any(s => s is "" or "." or "..") || path.Any(c => c == '\\' || char.IsControl(c)))
            throw new TufException(TufFault.UnsafePath, path, "not the path of a file in a repository");
    }

    /// <summary>Where the source has the file: with consistent snapshots its name carries the hash.</summary>
    public static string UrlOf(TargetFile target, bool consistentSnapshot)
    {
        var segments = target.Path.Split('/').Select(Uri.EscapeDataString).ToArray();
        if (consistentSnapshot)
            segments[^1] = $"{target.Hashes.Naming ?? throw new TufException(TufFault.Mismatch, target.Path, "no hash of a known kind")}.{segments[^1]}";
        return string.Join('/', segments);
    }
}

/// <summary>Files that were downloaded before.</summary>
internal static class TargetContent
{
    /// <summary>The file at the path, opened, if its content is the target's; else null.</summary>
    public static async Task<FileStream?> OpenAsync(TargetFile target, string path, CancellationToken stop)
    {
        if (!File.Exists(path))
            return null;
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        if (file.Length == target.Length && await MatchAsync(target, file, stop).ConfigureAwait(false))
        {
            file.Position = 0;
            return file;
        }

        await file.DisposeAsync().ConfigureAwait(false);
        return null;
    }

    private static async Task<bool> MatchAsync(TargetFile target, FileStream file, CancellationToken stop)
    {
        using var hashes = target.Hashes.Start();
        var buffer = new byte[65_536];
        while (await file.ReadAsync(buffer, stop).ConfigureAwait(false) is var count and > 0)
            hashes.Append(buffer.AsSpan(0, count));
        return hashes.Match();
    }
}
