using Fleet.Contracts.Storage;
using Fleet.Updates.Content;
using Fleet.Updates.Packages;

namespace Fleet.Device.Installs;

/// <summary>
/// Installs packages of kind <c>archive</c>: each version unpacked in a folder of its own, and <c>current</c> a link to the one that programs find, which one
/// rename changes. Every step may be cut at any point and is done again: the device has the old version or the new, whole, and never something between.
/// </summary>
/// <param name="directory">The folder of one package; it holds <c>state.json</c>, <c>versions</c> and <c>current</c>.</param>
/// <param name="content">Where the files' content is; all of it is here before a version is begun.</param>
/// <param name="check">Whether the version that <c>current</c> leads to works: null, or why not.</param>
/// <param name="before">Told before each thing that is done to the disk; for tests that cut there.</param>
/// <param name="mostChecks">Checks that may be begun of one version; null: whoever checks counts them (<see cref="ArchivePlan.Counted"/>).</param>
public sealed class ArchiveInstaller(
    string directory, BlobStore content, Func<string, CancellationToken, Task<string?>> check, Action<string>? before = null, int? mostChecks = ArchivePlan.MostChecks)
{
    private const string NewSuffix = ".new";

    private readonly ArchiveFolder _folder = new(directory, before);
    private readonly Action<string> _before = before ?? (_ => { });

    /// <summary>The folder that programs are told of.</summary>
    public string CurrentPath => _folder.CurrentPath;

    /// <exception cref="StorageException">The file is damaged.</exception>
    public ArchiveState State => _folder.State;

    /// <summary>Does all that is left until the wanted version runs, or is known not to work.</summary>
    /// <returns>The state in the end.</returns>
    /// <exception cref="IOException">The disk is full or can't be written; what is done so far stays, and the next call goes on.</exception>
    public async Task<ArchiveState> Install(PackageManifest wanted, CancellationToken cancellation)
    {
        Directory.CreateDirectory(_folder.Versions);
        while (ArchivePlan.Next(State, wanted.Version, mostChecks) is { } next)
        {
            cancellation.ThrowIfCancellationRequested();
            _folder.Save(next);
            _folder.Save(await Do(next, wanted, cancellation).ConfigureAwait(false) is { } why ? ArchivePlan.Failed(next, why) : ArchivePlan.After(next));
        }

        return State;
    }

    /// <summary>The version that was refused may be tried once more. Nothing is changed while something is under way.</summary>
    public void Forgive()
    {
        if (State is { Pending: null, Refused: not null } state)
            _folder.Save(state with { Refused = null });
    }

    /// <returns>Null: it is done; else why it failed for good.</returns>
    private async Task<string?> Do(ArchiveState now, PackageManifest wanted, CancellationToken cancellation)
    {
        var version = now.Pending!.Version;
        switch (now.Pending.Step)
        {
            case ArchiveStep.Unpack:
                return Unpack(wanted);
            case ArchiveStep.Switch:
                _folder.Point(version);
                return null;
            case ArchiveStep.Check:
                return await check(CurrentPath, cancellation).ConfigureAwait(false);
            case ArchiveStep.Return:
                _folder.Point(now.Current);
                return null;
            default:
                Clean([now.Current, now.Previous]);
                return null;
        }
    }

    private string? Unpack(PackageManifest wanted)
    {
        var (folder, fresh) = (_folder.PathOf(wanted.Version), _folder.PathOf(wanted.Version) + NewSuffix);
        // Of a try that was cut, or of a version that was here before.
        Remove(fresh);
        if (Directory.Exists(folder))
            return null;
        if (PackageFiles.Write(fresh, wanted, content, _before) is { } missing)
            return missing;
        _before($"name {wanted.Version}");
        Directory.Move(fresh, folder);
        DurableFile.Sync(_folder.Versions);
        return null;
    }

    private void Clean(IEnumerable<string?> kept)
    {
        foreach (var folder in Directory.GetDirectories(_folder.Versions).Except(kept.OfType<string>().Select(_folder.PathOf)))
        {
            _before($"remove {Path.GetFileName(folder)}");
            Remove(folder);
        }
    }

    // By another name first: what is half removed is never taken for whole.
    private void Remove(string folder)
    {
        if (!Directory.Exists(folder))
            return;
        if (!folder.EndsWith(NewSuffix, StringComparison.Ordinal))
        {
            var condemned = folder + NewSuffix;
            if (Directory.Exists(condemned))
                Directory.Delete(condemned, recursive: true);
            Directory.Move(folder, condemned);
            folder = condemned;
        }

        Directory.Delete(folder, recursive: true);
    }
}
