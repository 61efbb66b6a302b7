using Akka.Configuration;

namespace Fleet.Messages.Transport;

/// <summary>Block <c>akka.remote.fleet-link</c>, which <see cref="LinkHocon"/> fills from block <c>fleet.link</c>.</summary>
/// <param name="AnnouncedPort">The port in this side's address; a name's part, not where anything listens.</param>
/// <param name="ConnectTimeout">Longest wait for a connection, its TLS handshake and the peer's first frame.</param>
/// <param name="MaximumFrame">Largest message, in bytes.</param>
/// <param name="MaximumUnsent">How much may wait to be sent on one association, in bytes.</param>
/// <param name="MaximumHandshakes">How many connections may be unauthenticated at once; further ones wait to be accepted.</param>
internal sealed record LinkLimits(int AnnouncedPort, TimeSpan ConnectTimeout, int MaximumFrame, int MaximumUnsent, int MaximumHandshakes)
{
    /// <summary>Akka wraps a message of the largest size once more.</summary>
    public int WireFrame => MaximumFrame + 64;

    public static LinkLimits From(Config link) => new(
        AnnouncedPort: link.GetInt("announced-port"),
        ConnectTimeout: link.GetTimeSpan("connect-timeout"),
        MaximumFrame: link.GetInt("maximum-frame"),
        MaximumUnsent: link.GetInt("maximum-unsent"),
        MaximumHandshakes: link.GetInt("maximum-handshakes"));
}
