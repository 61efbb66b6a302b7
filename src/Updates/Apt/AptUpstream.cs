using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using Fleet.Updates.Content;
using Fleet.Updates.Fetching;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;

namespace Fleet.Updates.Apt;

/// <summary>Asks the source of a repository. Nothing that comes from it is trusted.</summary>
internal sealed class AptUpstream(AptSource source, HttpClient http, Pace pace, TimeProvider clock, Action<int> came)
{
    /// <summary>Debian's largest has 300 KB.</summary>
    private const int MaxRelease = 16 << 20;

    private readonly Transfer _transfer = new(pace, clock);
    private readonly string _base = source.Url.TrimEnd('/');

    public string Repository => source.Name;

    public string Host => new Uri(source.Url).Authority;

    public Uri AddressOf(string path) => new($"{_base}/{AptPath.Encoded(path)}");

    /// <summary>The release of a suite; null: it is the one that is known.</summary>
    /// <param name="root">The suite's directory, with its slash.</param>
    /// <exception cref="AptException">There is none, or the source does not answer as it should.</exception>
    public async Task<FetchedRelease?> Release(string root, FetchedRelease? known, CancellationToken stop)
    {
        var inRelease = await Get(root + SignedRelease.InRelease, known, stop).ConfigureAwait(false);
        if (inRelease.Content is { } signed)
            return Unless(known, new FetchedRelease(new SignedRelease(signed, null), inRelease.Tag, inRelease.Modified));
        if (inRelease.IsKnown)
            return null;
        var release = await Get(root + SignedRelease.Release, known, stop).ConfigureAwait(false);
        if (release.IsKnown)
            return null;
        var signature = await Get(root + SignedRelease.ReleaseGpg, null, stop).ConfigureAwait(false);
        return release.Content is { } content && signature.Content is { } signatures
            ? Unless(known, new FetchedRelease(new SignedRelease(content, signatures), release.Tag, release.Modified))
            : throw new AptException(AptFault.Missing, AddressOf(root + SignedRelease.InRelease).AbsoluteUri, "the source has neither that nor a Release with its Release.gpg");
    }

    public IBlobSource SourceOf(string path) => new AptBlobSource(Repository, Host, HttpBlobSource.OfFile(http, AddressOf(path)));

    private static FetchedRelease? Unless(FetchedRelease? known, FetchedRelease came) => known is not null && known.Signed.Same(came.Signed) ? null : came;

    private async Task<Answer> Get(string path, FetchedRelease? known, CancellationToken stop)
    {
        var address = AddressOf(path);
        var content = new ArrayBufferWriter<byte>();
        var answer = new Answer();
        try
        {
            var found = await _transfer.RunAsync(address.AbsoluteUri, token => Open(address, known, answer, token), MaxRelease, piece =>
            {
                came(piece.Length);
                content.Write(piece.Span);
                return ValueTask.CompletedTask;
            }, stop).ConfigureAwait(false);
            if (found)
                answer.Content = content.WrittenSpan.ToArray();
            return answer;
        }
        catch (TufException fault)
        {
            throw new AptException(AptFault.Unavailable, fault.Subject, fault.Message[(fault.Subject.Length + 2)..], fault);
        }
    }

    private async Task<Stream?> Open(Uri address, FetchedRelease? known, Answer answer, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (known?.Tag is { } tag)
            request.Headers.IfNoneMatch.Add(tag);
        request.Headers.IfModifiedSince = known?.Modified;
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.OK)
        {
            (answer.Tag, answer.Modified) = (response.Headers.ETag, response.Content.Headers.LastModified);
            return await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
        }

        using (response)
        {
            answer.IsKnown = known is not null && response.StatusCode == HttpStatusCode.NotModified;
            return answer.IsKnown || response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Forbidden or HttpStatusCode.Gone
                ? null
                : throw new IOException($"the source answered {(int)response.StatusCode} {response.ReasonPhrase}");
        }
    }

    private sealed class Answer
    {
        public byte[]? Content { get; set; }

        public bool IsKnown { get; set; }

        public EntityTagHeaderValue? Tag { get; set; }

        public DateTimeOffset? Modified { get; set; }
    }
}

/// <summary>A release with what its source is asked by whether there is another.</summary>
internal sealed record FetchedRelease(SignedRelease Signed, EntityTagHeaderValue? Tag, DateTimeOffset? Modified);

/// <summary>A file of an APT repository at its source.</summary>
internal sealed class AptBlobSource(string repository, string host, IBlobSource at) : IBlobSource
{
    public string Name => at.Name;

    public string Repository => repository;

    public string Host => host;

    public Task<Stream?> Open(BlobHash hash, long from, CancellationToken cancellation) => at.Open(hash, from, cancellation);
}
