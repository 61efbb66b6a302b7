using System.Security.Cryptography;
using Fleet.Updates.Content;
using Fleet.Updates.Fetching;
using Fleet.Updates.Packages;

namespace Fleet.Device.Updates;

/// <summary>What the installed version has in common with the next: most files of most packages, which so need not come over any network.</summary>
/// <param name="folder">The installed version's; there may be none.</param>
/// <param name="next">What is being brought.</param>
internal sealed class InstalledFiles(string folder, PackageManifest next) : IBlobSource
{
    public string Name => "the installed version";

    public bool IsLocal => true;

    public async Task<Stream?> Open(BlobHash hash, long from, CancellationToken cancellation)
    {
        foreach (var known in next.Files.Where(f => f.Content == hash))
        {
            var file = new FileInfo(Path.Combine(folder, known.Path));
            if (!file.Exists || file.Length != known.Length)
                continue;
            using var content = file.OpenRead();
            // Programs may have changed their own files; that is no source's lie.
            if (BlobHash.Of(await SHA256.HashDataAsync(content, cancellation).ConfigureAwait(false)) != hash)
                continue;
            var found = file.OpenRead();
            found.Position = from;
            return found;
        }

        return null;
    }
}
