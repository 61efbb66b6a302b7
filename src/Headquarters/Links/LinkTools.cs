using System.Security.Cryptography;
using Akka.Actor;
using Fleet.Headquarters.Monitoring;
using LinkOptions = Fleet.Messages.Transport.LinkOptions;

namespace Fleet.Headquarters.Links;

/// <summary>What every link of the edge system uses.</summary>
/// <param name="Sessions">The cluster system's <see cref="LinkSessions"/>, in the same process.</param>
/// <param name="CertificateSerial">The serial number of the certificate that a connected logical host showed last.</param>
/// <param name="Abort">Ends the connections of a logical host at once.</param>
internal sealed record LinkTools(
    LinksOptions Links, LinkOptions Link, IActorRef Sessions, Func<string, string?> CertificateSerial, Action<string> Abort, DoorLoad Load, TimeProvider Clock)
{
    /// <summary>Where door and links count what they do.</summary>
    public HeadquartersMeter Meter { get; init; } = HeadquartersMeter.Unheard;

    /// <summary>Text that can't be guessed: names of links, and epochs.</summary>
    public static string NewSecret() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
}
