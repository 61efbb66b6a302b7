using Fleet.Contracts;
using MessagePack;

namespace Fleet.Messages.Company;

// What offices must know of updates: the company owns the book and hands it to every office, as it does with policies.

/// <summary>The tenant's repository says how it stands; sent again and again, and a repeat changes nothing.</summary>
[MessagePackObject]
public sealed record NoteRepository([property: Key(0)] ReadOnlyMemory<byte> Root, [property: Key(1)] ulong Timestamp) : ICompanyCommand;

/// <param name="Book">The whole book; small, and read at once.</param>
/// <param name="What">What was changed, for people.</param>
[MessagePackObject]
public sealed record UpdateBookChanged([property: Key(0)] UpdateBook Book, [property: Key(1)] string What, [property: Key(2)] string By, [property: Key(3)] DateTimeOffset At) : ICompanyEvent;

/// <summary>Everything an office needs to know of updates; the version rises at each change.</summary>
/// <param name="Root">The first root of the tenant's repository, as signed: what distribution points and devices begin to trust with.</param>
/// <param name="Timestamp">Version of the newest timestamp of that repository: who shows an older one is frozen.</param>
/// <param name="Releases">What devices should have, oldest first: of two that pick a device for the same package, the later counts.</param>
/// <param name="Apt">The signed APT repositories that distribution points pass on.</param>
/// <param name="Tasks">The tasks "download updates to the repositories of distribution points".</param>
/// <param name="Vendors">Who says which packages are genuine; absent in what was journaled before there were any.</param>
[MessagePackObject]
public sealed record UpdateBook(
    [property: Key(0)] ulong Version,
    [property: Key(1)] ReadOnlyMemory<byte> Root,
    [property: Key(2)] ulong Timestamp,
    [property: Key(3)] IReadOnlyList<Release> Releases,
    [property: Key(4)] IReadOnlyList<AptRepository> Apt,
    [property: Key(5)] IReadOnlyList<DownloadTask> Tasks,
    IReadOnlyList<Vendor>? Vendors = null)
{
    public static UpdateBook Empty { get; } = new(0, default, 0, [], [], []);

    /// <summary>In order of names.</summary>
    [Key(6)]
    public IReadOnlyList<Vendor> Vendors { get; init; } = Vendors ?? [];
}

/// <summary>A vendor whose signed repository says which packages are genuine: devices install those that it covers only where it lists the same manifest.</summary>
/// <param name="Name">A part of the path under which its metadata is served: <c>/vendors/NAME/metadata/</c>.</param>
/// <param name="Root">The first root of its repository, as signed: what everybody begins to trust it with.</param>
/// <param name="Packages">Patterns of the packages that it covers, such as <c>acme-*</c>.</param>
/// <param name="Source">Where headquarters reads its repository: a URL, or a folder of headquarters' machine.</param>
[MessagePackObject]
public sealed record Vendor(
    [property: Key(0)] string Name,
    [property: Key(1)] ReadOnlyMemory<byte> Root,
    [property: Key(2)] IReadOnlyList<string> Packages,
    [property: Key(3)] string Source);

/// <summary>A version of a package that devices should have, as far as its rollout has got.</summary>
/// <param name="Rollout">The rollout that it is of.</param>
/// <param name="Manifest">SHA-256 of the package's manifest, in lower-case hexadecimal.</param>
/// <param name="Length">Bytes of all its files.</param>
/// <param name="For">The devices that it is for at all.</param>
/// <param name="Rings">The rings that it has reached, in order; a device that any of them picks should have the package.</param>
/// <param name="Parameters">How it is installed: maintenance window, health check; keys as the agent knows them.</param>
/// <param name="Kept">The rollout was halted: devices that have the version keep it, and no other gets it.</param>
[MessagePackObject]
public sealed record Release(
    [property: Key(0)] string Rollout,
    [property: Key(1)] string Package,
    [property: Key(2)] string PackageVersion,
    [property: Key(3)] string Kind,
    [property: Key(4)] string Manifest,
    [property: Key(5)] long Length,
    [property: Key(6)] ReleaseSelector For,
    [property: Key(7)] IReadOnlyList<ReleaseRing> Rings,
    [property: Key(8)] IReadOnlyDictionary<string, string> Parameters,
    [property: Key(9)] bool Kept = false);

/// <summary>Picks devices; empty lists pick all.</summary>
/// <param name="Labels">Labels that a device must all have, with these values.</param>
[MessagePackObject]
public sealed record ReleaseSelector([property: Key(0)] IReadOnlyList<OfficeId> Offices, [property: Key(1)] IReadOnlyDictionary<string, string> Labels, [property: Key(2)] IReadOnlyList<DeviceId> Devices);

/// <param name="Percent">Of the devices that <paramref name="Picks"/> has, so many in a hundred; which ones hangs on device and rollout alone.</param>
[MessagePackObject]
public sealed record ReleaseRing([property: Key(0)] string Name, [property: Key(1)] ReleaseSelector Picks, [property: Key(2)] int Percent);

/// <summary>A signed APT repository that distribution points pass on to their offices, verified.</summary>
/// <param name="Name">First part of the path under which it is served: <c>/apt/NAME/</c>.</param>
/// <param name="Url">Of the repository, as in a line of sources.list.</param>
/// <param name="Keyring">OpenPGP public keys, armored or not, any of which may have signed its InRelease.</param>
/// <param name="Suites">The suites that are passed on; empty: any.</param>
[MessagePackObject]
public sealed record AptRepository(
    [property: Key(0)] string Name,
    [property: Key(1)] string Url,
    [property: Key(2)] ReadOnlyMemory<byte> Keyring,
    [property: Key(3)] IReadOnlyList<string> Suites);

/// <summary>A task that makes distribution points download updates.</summary>
/// <param name="Offices">Whose distribution points run it; empty: all.</param>
/// <param name="Sources">Tried in order.</param>
/// <param name="Patterns">Which packages are mirrored, such as <c>agent</c> or <c>office-*</c>, besides those that devices of the office should have.</param>
/// <param name="Schedule">A cron expression of five fields, <c>on-change</c>, or empty: only when told.</param>
/// <param name="TimeZone">IANA name, in which the schedule is read.</param>
/// <param name="Spread">Each office begins anywhere up to this later.</param>
/// <param name="Budget">By the hour of the day; empty: no limit.</param>
/// <param name="RunNumber">Raised to make it run now. A task made anew under an old name begins where the old one ended: numbers are versions of the book.</param>
/// <param name="Paused">Nothing is begun, and what is under way stops and stays.</param>
/// <param name="CancelNumber">Raised to end the run that is under way.</param>
/// <param name="Labels">Labels that a distribution point's own device must all have, with these values; null or empty: any.</param>
[MessagePackObject]
public sealed record DownloadTask(
    [property: Key(0)] string Name,
    [property: Key(1)] IReadOnlyList<OfficeId> Offices,
    [property: Key(2)] IReadOnlyList<UpdateSource> Sources,
    [property: Key(3)] IReadOnlyList<string> Patterns,
    [property: Key(4)] string Schedule,
    [property: Key(5)] string TimeZone,
    [property: Key(6)] TimeSpan Spread,
    [property: Key(7)] IReadOnlyList<UplinkBudget> Budget,
    [property: Key(8)] ulong RunNumber,
    [property: Key(9)] bool Paused,
    [property: Key(10)] ulong CancelNumber = 0,
    [property: Key(11)] IReadOnlyDictionary<string, string>? Labels = null)
{
    /// <summary>The schedule of a task that runs whenever there is something new.</summary>
    public const string OnChange = "on-change";
}

/// <param name="From">Hour of the day from which it holds, 0 to 23, in the task's time zone; it holds until the next one's.</param>
/// <param name="BytesPerSecond">The most that the office's downloads take of its uplink together; 0: no limit.</param>
[MessagePackObject]
public sealed record UplinkBudget([property: Key(0)] int From, [property: Key(1)] long BytesPerSecond);

/// <summary>Where updates may come from.</summary>
/// <param name="Location">A URL for <see cref="UpdateSourceKind.Vendor"/>, a directory for <see cref="UpdateSourceKind.Folder"/>; empty for headquarters.</param>
/// <param name="Proxy">URL of the HTTP proxy to a vendor's server; empty: the machine's own settings.</param>
/// <param name="User">Who asks a vendor's server (HTTP Basic); empty: nobody in particular.</param>
/// <param name="Password">A NodeSecret, UTF-8: in the journal for headquarters itself, in a node's plan for purpose <see cref="PasswordPurpose"/>. No log or file shows it open.</param>
/// <param name="Pin">SHA-256 of the vendor server's public key (SubjectPublicKeyInfo), in lower-case hexadecimal: no other is accepted, whoever certified it; empty: the machine's own trust.</param>
[MessagePackObject]
public sealed record UpdateSource(
    [property: Key(0)] UpdateSourceKind Kind,
    [property: Key(1)] string Location,
    [property: Key(2)] string Proxy = "",
    [property: Key(3)] string User = "",
    [property: Key(4)] ReadOnlyMemory<byte> Password = default,
    [property: Key(5)] string Pin = "")
{
    public const string PasswordPurpose = "update source password";
}

/// <summary>Numbers are on the wire and in the journal.</summary>
public enum UpdateSourceKind
{
    /// <summary>The tenant's repository at headquarters.</summary>
    Headquarters = 1,

    /// <summary>A copy of the repository on a vendor's servers, over HTTPS.</summary>
    Vendor = 2,

    /// <summary>A copy of the repository in a local folder, or a network folder that is mounted.</summary>
    Folder = 3,
}
