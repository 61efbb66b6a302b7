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
        Sync(Path.GetDirectoryName(to)!);
    }

    /// <summary>
    /// Makes a link lead elsewhere, by one rename: whoever follows it finds the old or the new. On Windows, where no call does that for a folder, there is none for a moment.
    /// </summary>
    /// <param name="to">As it is written into the link, seen from the link's own folder.</param>
    /// <exception cref="IOException">The system refuses.</exception>
    public static void Link(string link, string to)
    {
        var next = link + NewSuffix;
        File.Delete(next);
        Directory.CreateSymbolicLink(next, to);
        if (OperatingSystem.IsWindows())
        {
            if (Directory.Exists(link))
                Directory.Delete(link);
            Directory.Move(next, link);
        }
        else if (Rename(next, link) != 0)
        {
            // .NET's own renames follow the link to see what it is, and find a folder.
            throw new IOException($"{link} can't be made to lead to {to}: error {Marshal.GetLastPInvokeError()} of the system");
        }

        Sync(Path.GetDirectoryName(link)!);
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
            Sync(Path.GetDirectoryName(path)!);
    }

    private static FileStream Private(string path, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, Share = FileShare.Read, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }

    /// <summary>Makes renames in a directory durable. .NET opens no directories, so by the system's own calls; NTFS journals renames itself.</summary>
    public static void Sync(string directory)
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

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(string from, string to);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
