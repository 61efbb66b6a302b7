namespace Fleet.Device.Installs;

/// <summary>How an installation ended that is not to be done twice.</summary>
internal enum OnceResult
{
    Installed = 1,

    Failed = 2,

    /// <summary>Nothing was done, because somebody else is just installing: it may be begun again.</summary>
    Busy = 3,
}

/// <param name="Detail">Why, for people; empty where it is installed.</param>
internal sealed record OnceEnd(OnceResult Result, string Detail)
{
    public static OnceEnd Installed { get; } = new(OnceResult.Installed, "");

    public static OnceEnd Failed(string why) => new(OnceResult.Failed, why);
}

/// <summary>A kind of package whose installation can't be repeated or taken back by the agent.</summary>
internal interface IOnceInstall
{
    /// <summary>Why it can't even be begun on this machine or with these files; null: it can.</summary>
    string? Problem(OnceFiles files);

    Task<OnceEnd> Install(OnceFiles files, TimeSpan within, CancellationToken cancellation);

    /// <summary>Whether what was begun and cut is installed after all; false: it is not, or that can't be told.</summary>
    Task<bool> IsInstalled(OnceFiles files, CancellationToken cancellation);
}

/// <summary>A package laid out to be installed.</summary>
/// <param name="Folder">Holds its files, and is the working directory of what is run.</param>
/// <param name="Paths">Of the files, below the folder.</param>
/// <param name="Parameters">As headquarters gave them.</param>
internal sealed record OnceFiles(string Folder, string Package, string Version, IReadOnlyList<string> Paths, IReadOnlyDictionary<string, string> Parameters)
{
    public IReadOnlyList<string> EndingIn(string extension) => [.. Paths.Where(p => p.EndsWith(extension, StringComparison.OrdinalIgnoreCase))];

    /// <summary>What programs are told of the package.</summary>
    public Dictionary<string, string> Environment => new() { ["FLEET_PACKAGE"] = Package, ["FLEET_VERSION"] = Version };
}
