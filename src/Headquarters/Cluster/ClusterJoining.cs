using System.Net.Http.Headers;
using System.Net.Security;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Contracts.Identity;

namespace Fleet.Headquarters.Cluster;

/// <summary>How a new machine gets the identity of a headquarters that invited it.</summary>
internal static class ClusterJoining
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Places in the data directory that an identity may consist of; another headquarters node is trusted, a typing mistake in it is not.</summary>
    private static readonly string[] Folders = ["", "identity", "console-keys"];

    /// <param name="from"><c>host:port</c>, or <c>https://host:port</c>.</param>
    /// <returns>Files by their path in the data directory.</returns>
    /// <exception cref="IOException">It does not work; the message says why.</exception>
    public static async Task<IReadOnlyDictionary<string, byte[]>> IdentityFrom(string from, AdminToken invitation, TimeProvider clock, CancellationToken cancellation)
    {
        var server = new PinnedServer(invitation.CaPin, clock);
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = server.Accept } })
        {
            Timeout = Patience,
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", invitation.Bearer) },
        };
        try
        {
            using var answer = await http.PostAsync(new Uri($"{HostPort.UrlOf(from)}/api/v1/cluster/join"), null, cancellation);
            if (!answer.IsSuccessStatusCode)
                throw new IOException($"{from} refuses: {(await answer.Content.ReadFromJsonAsync(ApiJson.Default.ProblemResource, cancellation))?.Detail ?? answer.StatusCode.ToString()}");
            var identity = await answer.Content.ReadFromJsonAsync(ApiJson.Default.ClusterIdentityResource, cancellation);
            return identity is { Files.Count: > 0 } && identity.Files.Keys.All(f => Folders.Contains(Path.GetDirectoryName(f)) && !f.Contains("..", StringComparison.Ordinal))
                ? identity.Files
                : throw new IOException($"{from} gave no identity of a headquarters");
        }
        catch (HttpRequestException fault)
        {
            throw new IOException(server.Problem is { } problem ? $"{from} is not the headquarters that the invitation is from: {problem}" : $"{from} can't be reached: {fault.GetBaseException().Message}");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new IOException($"{from} does not answer");
        }
    }
}
