namespace Fleet.Updates.Tuf.Client;

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
