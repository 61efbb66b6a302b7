using Fleet.Updates.Content;

namespace Fleet.Updates.Fetching;

/// <summary>Blobs in a folder, local or mounted, as <c>FOLDER/HASH</c> or <c>FOLDER/ab/HASH</c>. No link is followed: who may write there could lead elsewhere.</summary>
public sealed class FolderBlobSource(string folder) : IBlobSource
{
    private readonly string _folder = Path.GetFullPath(folder);

    public string Name => _folder;

    public Task<Stream?> Open(BlobHash hash, long from, CancellationToken cancellation)
    {
        try
        {
            if (!Directory.Exists(_folder))
                throw new IOException($"there is no folder {_folder}, or it can't be read");
            if (new[] { Path.Combine(_folder, hash.Value), Path.Combine(_folder, hash.Value[..2], hash.Value) }.Select(p => new FileInfo(p)).FirstOrDefault(f => f.Exists) is not { } found)
                return Task.FromResult<Stream?>(null);
            if (found.LinkTarget is not null || found.Directory!.LinkTarget is not null)
                throw new IOException($"{found.FullName} is a link; links are not followed");
            var file = new FileStream(found.FullName, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            file.Position = Math.Min(from, file.Length);
            return Task.FromResult<Stream?>(file);
        }
        catch (UnauthorizedAccessException denied)
        {
            throw new IOException($"{_folder}: {denied.Message}", denied);
        }
    }
}
