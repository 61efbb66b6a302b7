using System.Text.Json;
using Fleet.Contracts.Storage;

namespace Fleet.Device.Installs;

/// <summary>The folder of one package of kind <c>archive</c>: <c>state.json</c>, a folder a version in <c>versions</c>, and <c>current</c>, a link to the one that programs find.</summary>
internal sealed class ArchiveFolder(string directory, Action<string>? before = null)
{
    private readonly string _directory = Path.GetFullPath(directory);
    private readonly Action<string> _before = before ?? (_ => { });

    public string CurrentPath => Path.Combine(_directory, "current");

    public string Versions => Path.Combine(_directory, "versions");

    /// <summary>The version that <c>current</c> leads to; null: there is none.</summary>
    public string? PointsTo => new DirectoryInfo(CurrentPath).LinkTarget is { } target ? Uri.UnescapeDataString(Path.GetFileName(target)) : null;

    /// <exception cref="StorageException">The file is damaged.</exception>
    public ArchiveState State
    {
        get
        {
            try
            {
                return File.Exists(StatePath) ? ArchiveState.Read(File.ReadAllBytes(StatePath)) : ArchiveState.None;
            }
            catch (JsonException damaged)
            {
                throw new StorageException($"{StatePath} is damaged ({damaged.Message}); delete it, and the package is installed anew");
            }
        }
    }

    public string PathOf(string version) => Path.Combine(Versions, Uri.EscapeDataString(version));

    public void Save(ArchiveState state)
    {
        _before("save");
        DurableFile.Replace(StatePath, state.ToBytes());
    }

    /// <param name="version">Null: none; the link goes.</param>
    public void Point(string? version)
    {
        if (version is null)
        {
            _before("unlink");
            File.Delete(CurrentPath);
            DurableFile.Sync(_directory);
            return;
        }

        _before($"switch to {version}");
        DurableFile.Link(CurrentPath, Path.Combine("versions", Uri.EscapeDataString(version)));
    }

    private string StatePath => Path.Combine(_directory, "state.json");
}
