using Akka.Configuration;
using Fleet.Messages.Settings;

namespace Fleet.Headquarters.Identity;

/// <summary>Block <c>fleet.identity</c>.</summary>
public sealed record IdentityOptions(TimeSpan CertificateLifetime)
{
    /// <summary>Shorter, certificates would be due for renewal as soon as they are issued, since they are backdated.</summary>
    private static readonly TimeSpan ShortestLifetime = TimeSpan.FromMinutes(4);

    public static IdentityOptions From(Config fleet, Problems problems)
    {
        var options = new IdentityOptions(CertificateLifetime: problems.Positive(fleet, "identity.certificate-lifetime"));
        if (options.CertificateLifetime < ShortestLifetime && !problems.Told("identity.certificate-lifetime"))
            problems.Add("fleet.identity.certificate-lifetime", $"must be {ShortestLifetime.TotalMinutes:0}m or more; 30d is usual");
        return options;
    }
}
