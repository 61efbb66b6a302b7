using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Storage;
using Fleet.Headquarters.Updates;
using Fleet.Updates.Content;

namespace Fleet.Headquarters.Backups;

/// <summary>Names of a backup's entries: the paths that files have in the data directory, with <c>/</c> between their parts.</summary>
internal static class BackupFiles
{
    /// <summary>The administrator's settings, for whoever restores to compare; they take effect by being named at the start alone.</summary>
    public const string Settings = "settings-of-backup.hocon";

    /// <summary>The folder of the update repository with the files of packages.</summary>
    public const string Content = "content";

    /// <param name="path">In the data directory.</param>
    public static string NameOf(string path) => path.Replace(Path.DirectorySeparatorChar, '/');

    public static string NameOf(BlobHash hash) => $"{DataFiles.Updates}/{Content}/{hash}";

    /// <summary>Null: it is another file.</summary>
    public static BlobHash? ContentOf(string name) => Parts(name) is [DataFiles.Updates, Content, var hash] ? BlobHash.Parse(hash) : null;

    /// <summary>A file of the update repository, by its path there; null: it is another.</summary>
    public static string? UpdateOf(string name) =>
        Parts(name) is [DataFiles.Updates, var folder, _, ..] && TenantRepository.Kept.Contains(folder) ? name[(DataFiles.Updates.Length + 1)..] : null;

    /// <summary>Whether it is one of those that make a headquarters itself, or its settings. Another may not be written, wherever its path leads.</summary>
    public static bool IsOwn(string name) => name is AdminCredentials.HashFile or Settings || Parts(name) is ["identity" or DataFiles.ConsoleKeys, _];

    // None that leads elsewhere.
    private static string[] Parts(string name) => name.Split('/') is var parts && parts.All(p => p is not ("" or "." or "..") && !p.Contains('\\', StringComparison.Ordinal)) ? parts : [];
}
