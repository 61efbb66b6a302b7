namespace Fleet.Device.Installs;

/// <summary>Debian packages, all in one call of dpkg, which orders them itself.</summary>
internal sealed class DebInstall(IPrograms programs) : IOnceInstall
{
    /// <summary>dpkg's own for trouble that is not the package's.</summary>
    private const int Trouble = 2;

    private static readonly TimeSpan LookWithin = TimeSpan.FromSeconds(30);

    public string? Problem(OnceFiles files) => !OperatingSystem.IsLinux() ? "Debian packages are for Linux"
        : files.EndingIn(".deb").Count == 0 ? "it holds no .deb file"
        : null;

    public async Task<OnceEnd> Install(OnceFiles files, TimeSpan within, CancellationToken cancellation)
    {
        var environment = files.Environment;
        environment["DEBIAN_FRONTEND"] = "noninteractive";
        // Configuration that somebody changed stays as it is; dpkg would ask.
        IReadOnlyList<string> arguments = ["--force-confdef", "--force-confold", "-i", .. files.EndingIn(".deb")];
        var end = await programs.Run(new ProgramStart("dpkg", arguments, files.Folder, environment, within), cancellation).ConfigureAwait(false);
        if (end.Code == Trouble && end.LastWords.Contains("lock", StringComparison.Ordinal))
            return new OnceEnd(OnceResult.Busy, $"dpkg is in use: {end.LastWords}");
        if (!end.IsGood)
            return OnceEnd.Failed($"dpkg {end}");
        return await Missing(files, cancellation).ConfigureAwait(false) is { } missing ? OnceEnd.Failed($"dpkg ended well, and {missing}") : OnceEnd.Installed;
    }

    public async Task<bool> IsInstalled(OnceFiles files, CancellationToken cancellation) => await Missing(files, cancellation).ConfigureAwait(false) is null;

    /// <returns>Null: each package is installed in the version of its file.</returns>
    private async Task<string?> Missing(OnceFiles files, CancellationToken cancellation)
    {
        foreach (var file in files.EndingIn(".deb"))
        {
            var named = await Look(files, "dpkg-deb", ["--showformat=${Package}\t${Version}", "-W", file], cancellation).ConfigureAwait(false);
            if (named.Output.Trim().Split('\t') is not [var name, var version])
                return $"{file} can't be read: {named}";
            var found = await Look(files, "dpkg-query", ["--showformat=${db:Status-Status}\t${Version}\n", "-W", name], cancellation).ConfigureAwait(false);
            if (!found.Output.Split('\n').Contains($"installed\t{version}"))
                return $"{name} {version} is not installed";
        }

        return null;
    }

    private Task<ProgramEnd> Look(OnceFiles files, string program, IReadOnlyList<string> arguments, CancellationToken cancellation) =>
        programs.Run(new ProgramStart(program, arguments, files.Folder, files.Environment, LookWithin), cancellation);
}
