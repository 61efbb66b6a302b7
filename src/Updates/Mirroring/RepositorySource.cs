using Fleet.Updates.Fetching;
using Fleet.Updates.Tuf.Client;

namespace Fleet.Updates.Mirroring;

/// <summary>A place that a mirror is fed from: the repository itself, or a copy of it. Nothing that comes from it is trusted.</summary>
/// <param name="Name">For people and counters.</param>
/// <param name="Metadata">Its files by name, such as <c>timestamp.json</c>.</param>
/// <param name="Content">What it has by hash.</param>
public sealed record RepositorySource(string Name, IFileSource Metadata, IBlobSource Content)
{
    /// <summary>A copy behind a URL: <c>metadata/</c> and <c>blobs/</c>.</summary>
    /// <param name="http">As <see cref="HttpBlobSource.Client"/> makes one.</param>
    public static RepositorySource At(string url, HttpClient http) => new(
        url.TrimEnd('/'), new HttpSource(new Uri($"{url.TrimEnd('/')}/metadata"), http), new HttpBlobSource(http, new Uri($"{url.TrimEnd('/')}/blobs")));

    /// <summary>A copy in a folder: <c>metadata/</c> and <c>blobs/</c>.</summary>
    public static RepositorySource OfFolder(string folder) =>
        new(folder, new FolderSource(Path.Combine(folder, "metadata")), new FolderBlobSource(Path.Combine(folder, "blobs")));
}
