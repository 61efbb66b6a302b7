using Akka.Configuration;
using Fleet.Messages.Settings;

namespace Fleet.Headquarters.Identity;

/// <summary>Block <c>fleet.identity</c>.</summary>
public sealed record IdentityOptions(TimeSpan CertificateLifetime)
{
    public static IdentityOptions From(Config fleet, Problems problems) => new(
        CertificateLifetime: problems.Positive(fleet, "identity.certificate-lifetime"));
}
