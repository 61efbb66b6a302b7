using Fleet.Contracts.Agents;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Fleet.Device.Updates;

/// <summary>How one package stands on this device. Immutable; each step makes the next one.</summary>
public sealed record PackageState(string Name)
{
    /// <summary>Null: headquarters does not name it any more.</summary>
    public WantedPackage? Wanted { get; init; }

    /// <summary>Empty: none, or nobody knows since an installation ended badly.</summary>
    public string InstalledVersion { get; init; } = "";

    public ByteString InstalledManifest { get; init; } = ByteString.Empty;

    public PackageStep Step { get; init; }

    public string Detail { get; init; } = "";

    public DateTimeOffset Since { get; init; }

    /// <summary>Failed attempts to bring what is wanted, in a row.</summary>
    public int Attempts { get; init; }

    /// <summary>Something that must not run twice was begun, and its end was not seen.</summary>
    public bool Begun { get; init; }

    /// <summary>There is something left to do.</summary>
    public bool IsOpen => Wanted is not null && Step is PackageStep.Fetching or PackageStep.Waiting or PackageStep.Installing;

    /// <summary>What headquarters wants now. What failed is tried anew when anything about the wish is new: version, rollout or parameters.</summary>
    public PackageState Want(WantedPackage? wanted, DateTimeOffset now)
    {
        if (Equals(wanted, Wanted))
            return this;
        var isThere = InstalledVersion.Length > 0 && (wanted is null || wanted.Manifest == InstalledManifest);
        var next = this with { Wanted = wanted, Attempts = 0 };
        return isThere ? next.At(PackageStep.Installed, "", now) : next.At(PackageStep.Fetching, "", now);
    }

    public PackageState At(PackageStep step, string detail, DateTimeOffset now) =>
        this with { Step = step, Detail = detail, Since = step == Step ? Since : now };

    /// <summary>It could not be brought, and will be tried again.</summary>
    public PackageState NotBrought(string why, DateTimeOffset now) => At(PackageStep.Fetching, why, now) with { Attempts = Attempts + 1 };

    /// <summary>Something that must not run twice is begun: from here on nobody knows what is installed until its end was seen.</summary>
    public PackageState Begin(DateTimeOffset now) =>
        At(PackageStep.Installing, "", now) with { Begun = true, InstalledVersion = "", InstalledManifest = ByteString.Empty };

    public PackageState Installed(DateTimeOffset now) =>
        At(PackageStep.Installed, "", now) with { Begun = false, Attempts = 0, InstalledVersion = Wanted!.Version, InstalledManifest = Wanted.Manifest };

    public PackageState Failed(string why, DateTimeOffset now) => At(PackageStep.Failed, why, now) with { Begun = false, Attempts = 0 };

    public PackageState RolledBack(string why, DateTimeOffset now) => At(PackageStep.RolledBack, why, now) with { Attempts = 0 };

    public PackageStatus ToStatus() => new()
    {
        Name = Name,
        WantedVersion = Wanted?.Version ?? "",
        InstalledVersion = InstalledVersion,
        Step = Step,
        Detail = Detail.Length <= MaxDetail ? Detail : Detail[..MaxDetail],
        Since = Timestamp.FromDateTimeOffset(Since),
        Rollout = Wanted?.Rollout ?? "",
    };

    /// <summary>Reports are small.</summary>
    private const int MaxDetail = 500;
}
