using System.Buffers.Binary;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Fleet.Contracts.Identity;

namespace Fleet.Messages.Transport;

/// <summary>
/// Opens streams at office nodes' link ports, and takes them there (decision 0003). Mutual TLS between the two, one question and one answer; then the
/// stream carries the TLS of the link itself, whose ends are an office node and headquarters: who passes it on can neither read nor forge it.
/// </summary>
/// <param name="certificate">The certificate (with key) to show; asked anew each time.</param>
/// <param name="admit">Judges a genuine peer: null lets it in, a text says why not.</param>
public sealed class Passages(Func<X509Certificate2> certificate, PeerTrust trust, Func<PeerIdentity, string?> admit)
{
    /// <summary>Office nodes that one link may pass through: more is a loop or a mistake.</summary>
    public const int MaxHops = 4;

    /// <summary>First line of the question; what follows is the path, one node a line.</summary>
    private const string Protocol = "fleet-passage 1";

    /// <summary>Longest question or answer, in bytes.</summary>
    private const int MaxText = 4096;

    private readonly LinkTls _tls = new(certificate, trust, (peer, _) => admit(peer));

    /// <summary>Asks at a link port that was dialled; the stream is used once the answer has come.</summary>
    /// <param name="logicalHost">Who must answer there; null: whoever is admitted.</param>
    /// <param name="path">The nodes that the link came through, first the one whose link it is; empty: headquarters asks.</param>
    /// <exception cref="IOException">The connection broke.</exception>
    /// <exception cref="AuthenticationException">Another than wanted answers there; the message says who.</exception>
    public async Task<Knock> Knock(Stream raw, string? logicalHost, IReadOnlyList<string> path, CancellationToken cancellation)
    {
        var (stream, peer, _) = await _tls.AsClient(raw, logicalHost, cancellation);
        var knock = new Knock(stream, peer);
        await knock.Guarded(() => Write(stream, string.Join('\n', [Protocol, .. path]), cancellation));
        return knock;
    }

    /// <summary>Takes a stream that was opened at this side's link port, and its question.</summary>
    /// <exception cref="IOException">The connection broke, or the question is none.</exception>
    /// <exception cref="AuthenticationException">The peer is not let in.</exception>
    public async Task<Passage> Take(Stream raw, CancellationToken cancellation)
    {
        var (stream, peer, _) = await _tls.AsServer(raw, cancellation);
        try
        {
            return (await Read(stream, cancellation)).Split('\n') is [Protocol, .. var path]
                ? new Passage(stream, peer, path)
                : throw new IOException($"{peer} does not speak {Protocol}");
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    internal static async Task Write(Stream stream, string text, CancellationToken cancellation)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var frame = new byte[4 + bytes.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, bytes.Length);
        bytes.CopyTo(frame, 4);
        await stream.WriteAsync(frame, cancellation);
        await stream.FlushAsync(cancellation);
    }

    internal static async Task<string> Read(Stream stream, CancellationToken cancellation)
    {
        var header = new byte[4];
        await stream.ReadExactlyAsync(header, cancellation);
        var length = BinaryPrimitives.ReadInt32BigEndian(header);
        if (length is < 0 or > MaxText)
            throw new IOException($"a text of {length} bytes where at most {MaxText} are allowed");
        var text = new byte[length];
        await stream.ReadExactlyAsync(text, cancellation);
        return Encoding.UTF8.GetString(text);
    }
}

/// <summary>A stream at a link port, and what it is for: not used until it is granted.</summary>
/// <param name="Peer">Who opened it: headquarters, or an office node.</param>
/// <param name="Path">The nodes that the link came through, first the one whose link it is; empty where headquarters opened it.</param>
public sealed record Passage(Stream Stream, PeerIdentity Peer, IReadOnlyList<string> Path)
{
    /// <summary>The stream is used from now on.</summary>
    public Task Grant(CancellationToken cancellation) => Passages.Write(Stream, "", cancellation);

    /// <summary>Says no, and closes the stream.</summary>
    public async Task Refuse(string problem, CancellationToken cancellation)
    {
        await using (Stream)
            await Passages.Write(Stream, problem, cancellation);
    }
}

/// <summary>A question at a link port that waits for its answer.</summary>
/// <param name="Peer">Who answers there.</param>
public sealed record Knock(Stream Stream, PeerIdentity Peer)
{
    /// <summary>Waits until the stream is to be used; closes it where it is not.</summary>
    /// <exception cref="IOException">The connection broke, or the port says no; the message says why.</exception>
    public Task Answer(CancellationToken cancellation) => Guarded(async () =>
    {
        if (await Passages.Read(Stream, cancellation) is { Length: > 0 } problem)
            throw new IOException($"{Peer} says: {problem}");
    });

    internal async Task Guarded(Func<Task> exchange)
    {
        try
        {
            await exchange();
        }
        catch
        {
            await Stream.DisposeAsync();
            throw;
        }
    }
}
