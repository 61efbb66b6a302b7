using System.Security.Cryptography;

namespace Fleet.Cli.Updates;

/// <summary>A file of this machine that is to be in a package.</summary>
/// <param name="Path">In the package, with <c>/</c> between.</param>
/// <param name="Source">On this machine.</param>
/// <param name="Mode">Permission bits in octal.</param>
/// <param name="Sha256">Of its content, in lower-case hexadecimal.</param>
internal sealed record LocalFile(string Path, string Source, string Mode, long Length, string Sha256)
{
    /// <summary>What files of a system without permission bits get.</summary>
    private const string PlainMode = "644";

    private const int PermissionBits = 0b111_111_111;

    /// <summary>Files by their names, and folders with all that is in them; in the order of their paths.</summary>
    /// <exception cref="CommandFailure">One is missing, no plain file, unreadable, or two would have one path.</exception>
    public static IReadOnlyList<LocalFile> All(IEnumerable<string> given)
    {
        var files = new SortedDictionary<string, LocalFile>(StringComparer.Ordinal);
        foreach (var (path, source) in given.SelectMany(Below))
        {
            if (!files.TryAdd(path, Read(path, source)))
                throw new CommandFailure($"{source} and {files[path].Source} would both be '{path}' in the package");
        }

        return files.Count > 0 ? [.. files.Values] : throw new CommandFailure("there are no files in what --file names");
    }

    private static IEnumerable<(string Path, string Source)> Below(string given)
    {
        if (File.Exists(given))
            return [(System.IO.Path.GetFileName(given), given)];
        return Directory.Exists(given) ? Inside(new DirectoryInfo(given), "") : throw new CommandFailure($"there is no file or folder {given}");
    }

    private static List<(string Path, string Source)> Inside(DirectoryInfo folder, string prefix)
    {
        var found = new List<(string, string)>();
        try
        {
            foreach (var entry in folder.EnumerateFileSystemInfos())
            {
                if (entry.LinkTarget is not null)
                    throw Link(entry.FullName);
                if (entry is DirectoryInfo below)
                    found.AddRange(Inside(below, $"{prefix}{below.Name}/"));
                else
                    found.Add((prefix + entry.Name, entry.FullName));
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"{folder.FullName} can't be read: {fault.Message}");
        }

        return found;
    }

    private static LocalFile Read(string path, string source)
    {
        try
        {
            if (new FileInfo(source).LinkTarget is not null)
                throw Link(source);
            using var file = File.OpenRead(source);
            return new LocalFile(path, source, ModeOf(source), file.Length, Convert.ToHexStringLower(SHA256.HashData(file)));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"{source} can't be read: {fault.Message}");
        }
    }

    private static string ModeOf(string source) => OperatingSystem.IsWindows() ? PlainMode : Convert.ToString((int)File.GetUnixFileMode(source) & PermissionBits, 8);

    // Where it leads on a device nobody knows.
    private static CommandFailure Link(string path) => new($"{path} is a link, and packages hold files alone: put the file itself there");
}
