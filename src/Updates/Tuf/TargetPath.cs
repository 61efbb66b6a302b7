namespace Fleet.Updates.Tuf;

/// <summary>Paths of target files, which a hostile repository may choose.</summary>
internal static class TargetPath
{
    /// <exception cref="TufException">The path does not name a file below the repository.</exception>
    public static void Check(string path)
    {
        if (path.Split('/').Any(s => s is "" or "." or "..") || path.Any(c => c == '\\' || char.IsControl(c)))
            throw new TufException(TufFault.UnsafePath, path, "not the path of a file in a repository");
    }

    /// <summary>How the repository names the file: with consistent snapshots the last segment begins with the hash.</summary>
    public static string NameOf(TargetFile target, bool consistentSnapshot)
    {
        if (!consistentSnapshot)
            return target.Path;
        var hash = target.Hashes.Naming ?? throw new TufException(TufFault.Mismatch, target.Path, "no hash of a known kind");
        return target.Path.Insert(target.Path.LastIndexOf('/') + 1, hash + ".");
    }

    public static string UrlOf(TargetFile target, bool consistentSnapshot) =>
        string.Join('/', NameOf(target, consistentSnapshot).Split('/').Select(Uri.EscapeDataString));
}
