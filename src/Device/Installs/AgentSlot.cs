using Fleet.Contracts.Storage;
using Fleet.Updates.Content;

namespace Fleet.Device.Installs;

/// <summary>This process must end so that another version of its program takes its place.</summary>
public sealed class RestartException(string why) : Exception(why);

/// <summary>
/// The agent's own package: which version of the program has to run. The one outside, that was there before any update, starts the one that
/// <c>current</c> leads to, and counts before it does: a version that dies at its start can't count itself.
/// </summary>
public sealed class AgentSlot
{
    /// <summary>The name of the package.</summary>
    public const string Package = "fleet-agent";

    /// <summary>Starts that a version has until it must have synced.</summary>
    public const int MostStarts = 3;

    private readonly ArchiveFolder _folder;
    private readonly string _directory;
    private readonly string? _outside;

    /// <param name="packages">The folder of all packages.</param>
    /// <param name="program">The file of this process, links resolved.</param>
    /// <param name="outside">The file outside that started it; null: it is this one, or nobody knows.</param>
    public AgentSlot(string packages, string program, string? outside)
    {
        _directory = Path.Combine(packages, Package);
        (_folder, _outside, Program) = (new ArchiveFolder(_directory), outside, Path.GetFileName(program));
        // By names: the path of a process has its links resolved, that of the data directory has not.
        Runs = program.Split(Path.DirectorySeparatorChar) is [.., Package, "versions", var version, _] ? Uri.UnescapeDataString(version) : null;
    }

    /// <summary>The name of the program's file, at the top of the package.</summary>
    public string Program { get; }

    /// <summary>The version of the package that this process is; null: the one outside.</summary>
    public string? Runs { get; }

    /// <summary>A version that was installed has not shown yet that it can sync.</summary>
    public bool IsOnProbation
    {
        get
        {
            try
            {
                return _folder.State.Pending is { Step: ArchiveStep.Check };
            }
            catch (Exception unreadable) when (unreadable is StorageException or IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }
    }

    /// <summary>Another program has to run than this process is.</summary>
    public bool IsPassedOver => _folder.PointsTo != Runs;

    /// <summary>Called once a start, before anything else: counts the start of a version on probation, and gives it up after too many.</summary>
    /// <returns>The program to be started in place of this one; null: this one is right.</returns>
    public string? Begin()
    {
        try
        {
            Count();
        }
        catch (Exception fault) when (fault is StorageException or IOException or UnauthorizedAccessException)
        {
            // An agent that runs uncounted, on a full disk, is better than none.
        }

        if (!IsPassedOver)
            return null;
        return _folder.PointsTo is { } version ? Path.Combine(_folder.PathOf(version), Program) : _outside;
    }

    /// <summary>Ends the probation of the version that this process is.</summary>
    /// <param name="why">Null: it does its work; else why not, and the version before takes over again.</param>
    /// <exception cref="IOException">The slot's files can't be written.</exception>
    public void Conclude(string? why)
    {
        if (why is null)
            _folder.Save(ArchivePlan.After(_folder.State));
        else
            GiveBack(ArchivePlan.Failed(_folder.State, why));
    }

    /// <summary>Installs the package up to the switch: the version that it switches to is judged in its own process.</summary>
    internal ArchiveInstaller Installer(BlobStore content) =>
        new(_directory, content, (_, _) => throw new RestartException($"the agent's version {_folder.PointsTo} takes over"), mostChecks: null);

    private void Count()
    {
        var state = _folder.State;
        var counted = ArchivePlan.Counted(state, MostStarts, $"it was started {MostStarts} times and did not sync");
        if (counted.Pending is { Step: ArchiveStep.Return })
            GiveBack(counted);
        else if (counted != state)
            _folder.Save(counted);
    }

    private void GiveBack(ArchiveState returning)
    {
        _folder.Save(returning);
        _folder.Point(returning.Current);
        _folder.Save(ArchivePlan.After(returning));
    }
}
