using Fleet.NatLab.Topologies;

namespace Fleet.NatLab.Fleets;

/// <summary>The published programs: <c>artifacts/</c> of the repository that this program is in, or the folder that <c>FLEET_ARTIFACTS</c> names.</summary>
public static class Programs
{
    /// <summary>Where they are, each in a folder of its own.</summary>
    public static string Artifacts { get; } = ArtifactsFolder();

    public static string Headquarters { get; } = PathOf("headquarters");

    /// <summary>Headquarters of an earlier version, in the folder that <c>FLEET_EARLIER</c> names; null: none is named.</summary>
    public static string? EarlierHeadquarters { get; } = Environment.GetEnvironmentVariable("FLEET_EARLIER") is { Length: > 0 } named ? Path.Combine(named, "headquarters", FileOf("headquarters")) : null;

    public static string Office { get; } = PathOf("office");

    public static string Agent { get; } = PathOf("agent");

    public static string Fleet { get; } = PathOf("fleet");

    /// <summary>Says which program is missing; null: none.</summary>
    public static string? Missing() =>
        new[] { Headquarters, Office, Agent, Fleet }.FirstOrDefault(p => !File.Exists(p)) is { } missing ? $"{missing} is missing: run ./build.sh publish"
        : EarlierHeadquarters is { } earlier && !File.Exists(earlier) ? $"{earlier} is missing: FLEET_EARLIER must name a folder in which ./build.sh publish of an earlier version left its programs" : null;

    /// <exception cref="LabException">A program is missing.</exception>
    public static void Require()
    {
        if (Missing() is { } missing)
            throw new LabException(missing);
    }

    private static string PathOf(string name) => Path.Combine(Artifacts, name, FileOf(name));

    private static string ArtifactsFolder()
    {
        if (Environment.GetEnvironmentVariable("FLEET_ARTIFACTS") is { Length: > 0 } named)
            return named;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var artifacts = Path.Combine(folder.FullName, "artifacts");
            if (Directory.Exists(artifacts))
                return artifacts;
        }

        return "artifacts";
    }

    private static string FileOf(string name) => OperatingSystem.IsWindows() ? name + ".exe" : name;
}
