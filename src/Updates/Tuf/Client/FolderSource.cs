namespace Fleet.Updates.Tuf.Client;

/// <summary>A repository in a folder, local or mounted. No link is followed: who may write there could lead elsewhere.</summary>
public sealed class FolderSource(string folder) : IFileSource
{
    private readonly string _folder = Path.GetFullPath(folder);

    public Task<Stream?> OpenAsync(string path, CancellationToken stop)
    {
        try
        {
            if (!Directory.Exists(_folder))
                throw new TufException(TufFault.Unavailable, path, $"there is no folder {_folder}, or it can't be read");
            var at = _folder;
            foreach (var segment in path.Split('/').Select(Uri.UnescapeDataString))
            {
                // A role or a target may be called anything.
                if (segment is "" or "." or ".." || segment.AsSpan().IndexOfAny(Path.GetInvalidFileNameChars()) >= 0)
                    return Task.FromResult<Stream?>(null);
                at = Path.Combine(at, segment);
                if (new FileInfo(at).LinkTarget is not null)
                    throw new TufException(TufFault.Unavailable, path, $"{at} is a link; links are not followed");
            }

            return Task.FromResult<Stream?>(File.Exists(at) ? new FileStream(at, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete) : null);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new TufException(TufFault.Unavailable, path, $"{_folder}: {unreadable.Message}", unreadable);
        }
    }
}
