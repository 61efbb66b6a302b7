using System.Xml.Linq;

namespace Fleet.Architecture.Tests;

/// <summary>The arrows between the projects under src; a new one is a decision (docs/decisions).</summary>
public sealed class ArrowTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Contracts"] = [],
        ["Messages"] = ["Contracts"],
        ["Gateway"] = ["Messages", "Updates"],
        ["Device"] = ["Contracts", "Updates"],
        ["Headquarters"] = ["Backups", "Gateway", "Messages", "Updates"],
        ["Office"] = ["Device", "Gateway", "Messages"],
        ["Agent"] = ["Device"],
        ["Cli"] = ["Backups", "Contracts", "Updates"],
        ["Backups"] = ["Contracts"],
        ["Updates"] = ["Contracts"],
    };

    public static TheoryData<string> Projects => [.. Repository.Files("src", "*.csproj").Select(f => Path.GetFileNameWithoutExtension(f))];

    [Theory, MemberData(nameof(Projects))]
    public void A_project_references_only_what_the_map_allows(string project)
    {
        Assert.True(Allowed.ContainsKey(project), $"src/{project} is a new room: give it a place in the map, and say why in docs/decisions");

        var references = Read(project).Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value));

        Assert.Equal(Allowed[project].Order(), references.Order());
    }

    [Theory, InlineData("Contracts"), InlineData("Device"), InlineData("Agent"), InlineData("Cli"), InlineData("Updates"), InlineData("Backups")]
    public void Agents_and_the_command_line_never_see_Akka(string project)
    {
        var packages = Read(project).Descendants("PackageReference").Select(r => r.Attribute("Include")!.Value);

        Assert.DoesNotContain(packages, p => p.StartsWith("Akka", StringComparison.Ordinal));
    }

    [Fact]
    public void Namespaces_follow_folders()
    {
        var wrong = from file in Repository.Files("src", "*.cs")
                    let declared = File.ReadLines(file).FirstOrDefault(l => l.StartsWith("namespace ", StringComparison.Ordinal))
                    where declared is not null
                    let expected = "namespace Fleet." + Path.GetRelativePath(Repository.PathOf("src"), Path.GetDirectoryName(file)!).Replace('/', '.').Replace('\\', '.') + ";"
                    where declared != expected
                    select $"{Path.GetRelativePath(Repository.Root, file)}: {declared} instead of {expected}";

        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_package_version_stands_in_the_central_file()
    {
        var own = from file in Repository.Files("src", "*.csproj").Concat(Repository.Files("tests", "*.csproj"))
                  where XDocument.Load(file).Descendants("PackageReference").Any(r => r.Attribute("Version") is not null)
                  select Path.GetRelativePath(Repository.Root, file);

        Assert.Empty(own);
    }

    private static XDocument Read(string project) => XDocument.Load(Repository.PathOf($"src/{project}/{project}.csproj"));
}
