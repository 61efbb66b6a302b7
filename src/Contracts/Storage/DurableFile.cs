using System.Runtime.InteropServices;

namespace Fleet.Contracts.Storage;

/// <summary>Writes that survive a crash and a power cut: file contents and, where the system has it, the directory entry are synced.</summary>
public static partial class DurableFile
{
    /// <summary>Behind the name of a file that is being written; one left over from a crash is overwritten by the next write.</summary>
    public const string NewSuffix = ".new";

    public static void Replace(string path, byte[] content)
    {
        var next = path + NewSuffix;
        using (var file = Private(next, FileMode.Create))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        Move(next, path);
    }

    /// <summary>Renames a file whose content is on the disk already; an older one of that name is replaced. Both lie in the same file system.</summary>
    public static void Move(string from, string to)
    {
        File.Move(from, to, overwrite: true);
        SyncDirectory(Path.GetDirectoryName(to)!);
    }

    public static void Append(string path, byte[] content)
    {
        var isNew = !File.Exists(path);
        using (var file = Private(path, FileMode.Append))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        if (isNew)
            SyncDirectory(Path.GetDirectoryName(path)!);
    }

    private static FileStream Private(string path, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, Share = FileShare.Read, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }

    // .NET opens no directories, so the rename is made durable by the system's own calls. NTFS journals renames itself.
    private static void SyncDirectory(string directory)
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = Open(directory, flags: 0);
        if (descriptor < 0)
            return;
        _ = Fsync(descriptor);
        _ = Close(descriptor);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
