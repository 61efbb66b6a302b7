using Fleet.Updates.Content;
using Fleet.Updates.Packages;

namespace Fleet.Device.Installs;

/// <summary>The files of a package in a folder.</summary>
internal static class PackageFiles
{
    /// <summary>Writes them all, with their modes, until they are on the disk.</summary>
    /// <param name="folder">There is none of that name yet.</param>
    /// <param name="before">Told before each file.</param>
    /// <returns>Null: they are written; else which content is missing.</returns>
    public static string? Write(string folder, PackageManifest manifest, BlobStore content, Action<string> before)
    {
        foreach (var file in manifest.Files)
        {
            var path = Path.Combine(folder, file.Path);
            before($"write {file.Path}");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using var reader = content.Open(file.Content);
            if (reader is null)
                return $"the content of {file.Path} is not here";
            using var target = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
            for (long at = 0; reader.Read(at) is { Length: > 0 } bytes; at += bytes.Length)
                target.Write(bytes.Span);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(target.SafeFileHandle, (UnixFileMode)file.Mode);
            target.Flush(flushToDisk: true);
        }

        return null;
    }
}
