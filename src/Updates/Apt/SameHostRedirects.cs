namespace Fleet.Updates.Apt;

/// <summary>
/// Follows redirects that stay on the host that was asked, such as to https; no others: a source, or somebody on the way to it, could lead into the
/// asker's own network.
/// </summary>
internal sealed class SameHostRedirects(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private const int Most = 5;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        for (var hops = 0; ; hops++)
        {
            var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not { } location)
                return response;
            response.Dispose();
            var (from, to) = (request.RequestUri!, new Uri(request.RequestUri!, location));
            if (hops == Most)
                throw new HttpRequestException($"{from} redirects more than {Most} times");
            if (to.Host != from.Host || to.Scheme != from.Scheme && to.Scheme != Uri.UriSchemeHttps)
                throw new HttpRequestException($"{from} redirects to {to.GetLeftPart(UriPartial.Path)}; only redirects on the same host are followed: give the address that it leads to as the repository's");
            request.RequestUri = to;
        }
    }
}
