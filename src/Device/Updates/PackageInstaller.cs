using System.ComponentModel;
using Fleet.Contracts.Agents;
using Fleet.Device.Installs;
using Fleet.Updates.Content;
using Fleet.Updates.Packages;

namespace Fleet.Device.Updates;

/// <summary>Installs what is here, by its kind.</summary>
/// <param name="packages">Holds a folder a package of kind archive.</param>
/// <param name="unpacked">Where the others lie while they are installed.</param>
/// <param name="own">The agent's own program; null: it is a part of another.</param>
/// <param name="keep">Makes a package's state durable.</param>
internal sealed class PackageInstaller(
    string packages, string unpacked, BlobStore content, IPrograms programs, AgentSlot? own, Action<PackageState> keep, TimeProvider clock)
{
    private readonly HealthCheck _health = new(programs);

    /// <summary>Installs what is wanted, or goes on with it.</summary>
    /// <returns>How the package stands in the end.</returns>
    /// <exception cref="IOException">The disk is full or can't be written; to be tried again.</exception>
    /// <exception cref="RestartException">It is this program, which has to make room for its other version.</exception>
    public Task<PackageState> Install(PackageState package, PackageManifest manifest, PackageParameters parameters, CancellationToken cancellation) => (manifest.Kind, package.Name) switch
    {
        (InstallKind.Archive, AgentSlot.Package) => InstallAgent(package, manifest, cancellation),
        (InstallKind.Archive, _) => InstallArchive(package, manifest, parameters, cancellation),
        _ => InstallOnce(package, manifest, parameters, cancellation),
    };

    /// <summary>Something was begun that must not run twice, and the machine went down: looks what came of it.</summary>
    public async Task<PackageState> Settle(PackageState package, CancellationToken cancellation)
    {
        var files = FilesOf(package);
        var isInstalled = false;
        try
        {
            isInstalled = Directory.Exists(files.Folder) && InstallKinds.Named(package.Wanted!.Kind) is { } kind && await Once(kind).IsInstalled(files, cancellation).ConfigureAwait(false);
        }
        catch (Win32Exception)
        {
            // The program that could tell is not there.
        }

        Remove(files.Folder);
        return isInstalled ? package.Installed(Now) : package.Failed($"the installation of {package.Wanted!.Version} was interrupted; it is not begun again by itself", Now);
    }

    private DateTimeOffset Now => clock.GetUtcNow();

    private async Task<PackageState> InstallArchive(PackageState package, PackageManifest manifest, PackageParameters parameters, CancellationToken cancellation)
    {
        var installer = new ArchiveInstaller(Path.Combine(packages, package.Name), content,
            (folder, stop) => parameters.Health is { } command ? _health.Run(command, folder, parameters.HealthTimeout, stop) : Task.FromResult<string?>(null));
        if (Begin(ref package, manifest, installer) is { } impossible)
            return impossible;
        var end = await installer.Install(manifest, cancellation).ConfigureAwait(false);
        if (end.Current == manifest.Version)
            return package.Installed(Now);
        var why = end.Refused?.Why ?? "it was given up";
        return end.Current is null ? package.Failed(why, Now) : package.RolledBack($"{why}; {end.Current} is back", Now);
    }

    private async Task<PackageState> InstallAgent(PackageState package, PackageManifest manifest, CancellationToken cancellation)
    {
        if (own is null)
            return package.Failed("the agent here is a part of another program, and is updated with it", Now);
        if (manifest.Files.All(f => f.Path != own.Program))
            return package.Failed($"it holds no '{own.Program}'", Now);
        var installer = own.Installer(content);
        if (Begin(ref package, manifest, installer) is { } impossible)
            return impossible;
        var end = await installer.Install(manifest, cancellation).ConfigureAwait(false);
        return end.Current == manifest.Version ? package.Installed(Now) : package.RolledBack($"{end.Refused?.Why ?? "it was given up"}; the agent before is back", Now);
    }

    /// <returns>Null: it is begun; else why it can't be.</returns>
    private PackageState? Begin(ref PackageState package, PackageManifest manifest, ArchiveInstaller installer)
    {
        if (package.Step == PackageStep.Installing)
            return null;
        if (package.InstalledVersion == manifest.Version && package.InstalledManifest != package.Wanted!.Manifest)
            return package.Failed($"version {manifest.Version} is here with other content; publish this one under another version", Now);
        // Whoever wants it once more gets it once more; what was cut keeps its verdict.
        installer.Forgive();
        keep(package = package.At(PackageStep.Installing, "", Now));
        return null;
    }

    private async Task<PackageState> InstallOnce(PackageState package, PackageManifest manifest, PackageParameters parameters, CancellationToken cancellation)
    {
        var kind = Once(manifest.Kind);
        var files = FilesOf(package) with { Paths = [.. manifest.Files.Select(f => f.Path)] };
        Remove(files.Folder);
        if (PackageFiles.Write(files.Folder, manifest, content, _ => { }) is { } missing)
            throw new NotBroughtException(missing);
        if (kind.Problem(files) is { } problem)
            return package.Failed(problem, Now);
        var begun = package.Begin(Now);
        keep(begun);
        var end = await Run(kind, files, parameters, cancellation).ConfigureAwait(false);
        Remove(files.Folder);
        return end.Result switch
        {
            OnceResult.Installed => begun.Installed(Now),
            OnceResult.Busy => package.NotBrought(end.Detail, Now),
            _ => begun.Failed(end.Detail, Now),
        };
    }

    private async Task<OnceEnd> Run(IOnceInstall kind, OnceFiles files, PackageParameters parameters, CancellationToken cancellation)
    {
        try
        {
            // An agent that stops does not break off what it can't repeat: whoever runs goes on, and the next start looks what came of it.
            var end = await kind.Install(files, parameters.RunTimeout, CancellationToken.None).WaitAsync(cancellation).ConfigureAwait(false);
            if (end.Result != OnceResult.Installed || parameters.Health is not { } command)
                return end;
            return await _health.Run(command, files.Folder, parameters.HealthTimeout, cancellation).ConfigureAwait(false) is { } why ? OnceEnd.Failed($"it is installed, and {why}") : end;
        }
        catch (Win32Exception fault)
        {
            return OnceEnd.Failed(fault.Message);
        }
    }

    private IOnceInstall Once(InstallKind kind) => kind switch
    {
        InstallKind.Deb => new DebInstall(programs),
        InstallKind.Msi => new MsiInstall(programs),
        InstallKind.Script => new ScriptInstall(programs),
        _ => throw new NotSupportedException($"{kind} has no rule"),
    };

    private OnceFiles FilesOf(PackageState package)
    {
        var folder = Path.Combine(unpacked, package.Name);
        IReadOnlyList<string> paths = Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder, f))] : [];
        return new OnceFiles(folder, package.Name, package.Wanted!.Version, paths, package.Wanted.Parameters);
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }
}
