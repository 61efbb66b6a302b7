using System.Text.Json;

namespace Fleet.Contracts.Storage;

/// <summary>
/// A process's data directory (mode 0700): the marker <c>fleet-data.json</c>, a lock that only one running process holds, and the files, each
/// mode 0600. A directory of another kind, of a newer format or in use is refused and left untouched.
/// </summary>
public sealed class DataDirectory : IDisposable
{
    private const string MarkerName = "fleet-data.json";
    private const int Format = 1;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>What opening a file that another process holds ends in: EWOULDBLOCK of Linux and of macOS, ERROR_SHARING_VIOLATION.</summary>
    private static readonly int[] HeldErrors = [11, 35, unchecked((int)0x80070020)];

    private readonly FileStream? _lock;

    private DataDirectory(string path, FileStream? held) => (Path, _lock) = (path, held);

    public string Path { get; }

    /// <summary>Opens the directory for the one process that runs on it, and makes it where it is missing or empty.</summary>
    /// <param name="kind">What the directory is of: <c>headquarters</c>, <c>office</c> or <c>agent</c>.</param>
    /// <param name="mayMake">False where only an earlier command can have made it: a mistyped path is then told, and not filled.</param>
    /// <exception cref="StorageException">Foreign, newer, in use or not writable.</exception>
    public static DataDirectory Open(string path, string kind, bool mayMake = true)
    {
        path = System.IO.Path.GetFullPath(path);
        return Guarded(path, () =>
        {
            if (mayMake)
                Make(path);
            CheckMarker(path, kind, mayBeMissing: mayMake);
            MakePrivate(path);
            var held = Hold(path);
            if (!File.Exists(System.IO.Path.Combine(path, MarkerName)))
                DurableFile.Replace(System.IO.Path.Combine(path, MarkerName), Marker(kind));
            return new DataDirectory(path, held);
        });
    }

    /// <summary>Makes a directory that is one only when it was filled: if that fails, or is cut, no process runs on what is there.</summary>
    /// <param name="path">Missing or empty.</param>
    /// <exception cref="StorageException">It is not empty, in use or not writable.</exception>
    public static async Task Fill(string path, string kind, Func<DataDirectory, Task> fill)
    {
        path = System.IO.Path.GetFullPath(path);
        using var directory = Guarded(path, () =>
        {
            Make(path);
            if (Directory.EnumerateFileSystemEntries(path).Any())
                throw new StorageException($"{path} is not empty; choose a directory that is empty or missing, or move this one away");
            MakePrivate(path);
            return new DataDirectory(path, Hold(path));
        });
        try
        {
            await fill(directory).ConfigureAwait(false);
        }
        catch
        {
            Clear(path);
            throw;
        }

        directory.Replace(MarkerName, Marker(kind));
    }

    /// <summary>Opens the directory to look at it, while another process may run on it.</summary>
    /// <exception cref="StorageException">Missing, foreign, newer or not readable.</exception>
    public static DataDirectory Look(string path, string kind)
    {
        path = System.IO.Path.GetFullPath(path);
        return Guarded(path, () =>
        {
            CheckMarker(path, kind, mayBeMissing: false);
            return new DataDirectory(path, held: null);
        });
    }

    /// <summary>The whole path of a file in the directory.</summary>
    public string PathOf(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>The file's content, or null where there is none.</summary>
    public byte[]? Read(string name) => Guarded(Path, () =>
    {
        var path = PathOf(name);
        return File.Exists(path) ? File.ReadAllBytes(path) : null;
    });

    /// <summary>Replaces the file (mode 0600) in one step: after a crash at any moment it is the old one or the new one, whole.</summary>
    public void Replace(string name, ReadOnlySpan<byte> content)
    {
        var copy = content.ToArray();
        Guarded(Path, () => { DurableFile.Replace(PathOf(name), copy); return 0; });
    }

    /// <summary>Adds to the end of the file and returns when that is safe; a crash meanwhile may leave a part of it.</summary>
    public void Append(string name, ReadOnlySpan<byte> content)
    {
        var copy = content.ToArray();
        Guarded(Path, () => { DurableFile.Append(PathOf(name), copy); return 0; });
    }

    public void Delete(string name) => Guarded(Path, () => { File.Delete(PathOf(name)); return 0; });

    public void Dispose() => _lock?.Dispose();

    private static void Make(string path)
    {
        if (File.Exists(path))
            throw new StorageException($"{path} is a file; choose a directory, an empty or a new one");
        Directory.CreateDirectory(path);
    }

    // Also one that an administrator or a package made: the databases in it are readable by whoever can enter.
    private static void MakePrivate(string path)
    {
        if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(path) != OwnerOnly)
            File.SetUnixFileMode(path, OwnerOnly);
    }

    // It was empty: all of it is what did not become whole.
    private static void Clear(string path)
    {
        foreach (var entry in Directory.EnumerateFileSystemEntries(path).ToList())
        {
            if (Directory.Exists(entry))
                Directory.Delete(entry, recursive: true);
            else
                File.Delete(entry);
        }
    }

    private static FileStream Hold(string path)
    {
        try
        {
            return new FileStream(System.IO.Path.Combine(path, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException fault) when (HeldErrors.Contains(fault.HResult))
        {
            throw new StorageException($"{path} is in use by another process; stop that one first, or choose another --data directory");
        }
    }

    private static void CheckMarker(string path, string kind, bool mayBeMissing)
    {
        var marker = System.IO.Path.Combine(path, MarkerName);
        if (!File.Exists(marker))
        {
            if (!mayBeMissing)
                throw new StorageException($"{path} is no data directory of Fleet ({MarkerName} is missing); enrol first, or correct the --data directory");
            // The lock alone is what a first start leaves that was killed before it wrote the marker.
            if (Directory.EnumerateFileSystemEntries(path).Any(e => System.IO.Path.GetFileName(e) is not ("lock" or MarkerName + DurableFile.NewSuffix)))
                throw new StorageException($"{path} is not empty and no data directory of Fleet; choose an empty or a new one");
            return;
        }

        var (found, format) = ReadMarker(marker);
        if (found != kind)
            throw new StorageException($"{path} holds data of kind '{found}', not '{kind}'; choose another --data directory");
        if (format > Format)
            throw new StorageException($"{path} was written by a newer version (format {format}; this one knows {Format}); run that version");
    }

    private static (string Kind, int Format) ReadMarker(string marker)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(marker));
            return (json.RootElement.GetProperty("kind").GetString() ?? "", json.RootElement.GetProperty("format").GetInt32());
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new StorageException($"{marker} is damaged; restore it from a backup, or begin anew with an empty directory");
        }
    }

    private static byte[] Marker(string kind)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("kind", kind);
            json.WriteNumber("format", Format);
            json.WriteString("id", Guid.NewGuid().ToString("n"));
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static T Guarded<T>(string path, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"{path} can't be used: {fault.Message}");
        }
    }
}

/// <summary>The data directory can't be used; the message says why and what to do.</summary>
public sealed class StorageException(string message) : Exception(message);
