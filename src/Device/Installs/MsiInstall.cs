namespace Fleet.Device.Installs;

/// <summary>Windows Installer packages, one after another, without a person.</summary>
internal sealed class MsiInstall(IPrograms programs) : IOnceInstall
{
    /// <summary>ERROR_INSTALL_ALREADY_RUNNING.</summary>
    private const int InUse = 1618;

    /// <summary>ERROR_SUCCESS_REBOOT_REQUIRED and ERROR_SUCCESS_REBOOT_INITIATED: installed all the same.</summary>
    private static readonly int?[] Good = [0, 3010, 1641];

    public string? Problem(OnceFiles files) => !OperatingSystem.IsWindows() ? "packages of Windows Installer are for Windows"
        : files.EndingIn(".msi").Count == 0 ? "it holds no .msi file"
        : null;

    public async Task<OnceEnd> Install(OnceFiles files, TimeSpan within, CancellationToken cancellation)
    {
        var done = 0;
        foreach (var file in files.EndingIn(".msi"))
        {
            var path = Path.Combine(files.Folder, file.Replace('/', Path.DirectorySeparatorChar));
            var end = await programs.Run(new ProgramStart("msiexec.exe", ["/i", path, "/qn", "/norestart"], files.Folder, files.Environment, within), cancellation).ConfigureAwait(false);
            if (end.Code == InUse && done == 0)
                return new OnceEnd(OnceResult.Busy, "Windows Installer is in use");
            if (!Good.Contains(end.Code))
                return OnceEnd.Failed($"msiexec {end} ({file})");
            done++;
        }

        return OnceEnd.Installed;
    }

    // Which products the files are of is written inside them, where only Windows Installer reads it.
    public Task<bool> IsInstalled(OnceFiles files, CancellationToken cancellation) => Task.FromResult(false);
}
