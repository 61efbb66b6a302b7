namespace Fleet.Device.Installs;

/// <summary>A script of the package's own, run once a version: the parameter <c>script</c> names it, else it is <c>install.sh</c>, on Windows <c>install.ps1</c>, or the only file.</summary>
internal sealed class ScriptInstall(IPrograms programs) : IOnceInstall
{
    private const string Parameter = "script";

    public string? Problem(OnceFiles files) =>
        ScriptOf(files) is null ? files.Parameters.TryGetValue(Parameter, out var named) ? $"it holds no file '{named}'" : $"it holds no {Usual}; name its script with the parameter '{Parameter}'" : null;

    public async Task<OnceEnd> Install(OnceFiles files, TimeSpan within, CancellationToken cancellation)
    {
        var script = ScriptOf(files)!;
        var path = Path.Combine(files.Folder, script);
        var (program, arguments) = script.EndsWith(".ps1", StringComparison.OrdinalIgnoreCase)
            ? (OperatingSystem.IsWindows() ? "powershell.exe" : "pwsh", (IReadOnlyList<string>)["-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File", path])
            : OperatingSystem.IsWindows() ? ("cmd.exe", ["/c", path])
            : IsProgram(path) ? (path, [])
            : ("/bin/sh", [path]);
        var end = await programs.Run(new ProgramStart(program, arguments, files.Folder, files.Environment, within), cancellation).ConfigureAwait(false);
        return end.IsGood ? OnceEnd.Installed : OnceEnd.Failed($"{script} {end}");
    }

    public Task<bool> IsInstalled(OnceFiles files, CancellationToken cancellation) => Task.FromResult(false);

    private static string Usual => OperatingSystem.IsWindows() ? "install.ps1" : "install.sh";

    private static string? ScriptOf(OnceFiles files) =>
        files.Parameters.TryGetValue(Parameter, out var named) ? files.Paths.FirstOrDefault(p => p == named)
        : files.Paths.FirstOrDefault(p => p == Usual) ?? (files.Paths is [var only] ? only : null);

    // The system runs what says itself how; the rest is for the shell.
    private static bool IsProgram(string path)
    {
        if (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & UnixFileMode.UserExecute) == 0)
            return false;
        var begin = new byte[2];
        using var file = File.OpenRead(path);
        return file.ReadAtLeast(begin, begin.Length, throwOnEndOfStream: false) == begin.Length && (begin.AsSpan().SequenceEqual("#!"u8) || begin.AsSpan().SequenceEqual("\u007fE"u8));
    }
}
