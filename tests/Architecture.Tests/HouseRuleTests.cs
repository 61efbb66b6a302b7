using System.Text.RegularExpressions;

namespace Fleet.Architecture.Tests;

/// <summary>House rules that a reader would otherwise have to watch over.</summary>
public sealed partial class HouseRuleTests
{
    [Fact]
    public void Every_setting_is_explained()
    {
        var bare = new List<string>();
        foreach (var file in Repository.Files("hocon", "*.hocon"))
        {
            var explained = false;
            foreach (var (line, number) in File.ReadLines(file).Select((l, i) => (l.Trim(), i + 1)))
            {
                if (line.StartsWith('#'))
                    explained = true;
                else if (line.Length == 0)
                    explained = false;
                else if (Setting().IsMatch(line) && !explained && !line.Contains('#', StringComparison.Ordinal) && !line.Contains("${?", StringComparison.Ordinal) && !InAkka(file, number))
                    bare.Add($"{Path.GetFileName(file)}:{number}: {line}");
            }
        }

        Assert.Empty(bare);
    }

    [Fact]
    public void No_code_is_split_with_partial_but_for_generators_and_none_is_left_for_later()
    {
        var wrong = from file in Repository.Files("src", "*.cs")
                    from line in File.ReadLines(file).Select((text, i) => (text, number: i + 1))
                    where Leftover().IsMatch(line.text) || line.text.TrimStart().StartsWith("#region", StringComparison.Ordinal)
                    select $"{Path.GetRelativePath(Repository.Root, file)}:{line.number}: {line.text.Trim()}";

        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_decision_has_a_number_of_its_own_and_says_it()
    {
        var names = Repository.Files("docs/decisions", "*.md").ToDictionary(f => Path.GetFileName(f), f => File.ReadLines(f).First());

        Assert.Empty(names.Keys.GroupBy(n => n[..4]).Where(same => same.Count() > 1).SelectMany(same => same));
        Assert.All(names, n => Assert.StartsWith($"# {int.Parse(n.Key[..4], System.Globalization.CultureInfo.InvariantCulture)}. ", n.Value));
    }

    [Fact]
    public void Actors_never_watch_or_deploy_across_the_link()
    {
        var wrong = from folder in new[] { "src/Office", "src/Headquarters/Links" }
                    where Directory.Exists(Repository.PathOf(folder))
                    from file in Repository.Files(folder, "*.cs")
                    from line in File.ReadLines(file).Select((text, i) => (text, number: i + 1))
                    where line.text.Contains("RemoteScope", StringComparison.Ordinal) || line.text.Contains("WithDeploy", StringComparison.Ordinal)
                    select $"{Path.GetRelativePath(Repository.Root, file)}:{line.number}";

        Assert.Empty(wrong);
    }

    [Fact]
    public void The_readme_and_the_docs_name_only_files_that_exist()
    {
        var wrong = from doc in Repository.Files("docs", "*.md").Append(Repository.PathOf("README.md"))
                    where File.Exists(doc)
                    from Match link in Link().Matches(File.ReadAllText(doc))
                    let target = link.Groups[1].Value.Split('#')[0]
                    where target.Length > 0 && !target.Contains("://", StringComparison.Ordinal)
                    where !Path.Exists(Path.Combine(Path.GetDirectoryName(doc)!, target))
                    select $"{Path.GetRelativePath(Repository.Root, doc)} → {target}";

        Assert.Empty(wrong);
    }

    // Akka's own keys are explained in Akka's reference configuration.
    private static bool InAkka(string file, int number)
    {
        var depth = 0;
        var akkaDepth = -1;
        foreach (var line in File.ReadLines(file).Take(number - 1).Select(l => l.Trim()))
        {
            if (line.StartsWith('#'))
                continue;
            if (akkaDepth < 0 && line.StartsWith("akka", StringComparison.Ordinal) && line.EndsWith('{'))
                akkaDepth = depth;
            depth += line.Count(c => c == '{') - line.Count(c => c == '}');
            if (akkaDepth >= 0 && depth <= akkaDepth)
                akkaDepth = -1;
        }

        return akkaDepth >= 0;
    }

    [GeneratedRegex(@"^[A-Za-z0-9_.""-]+\s*=")]
    private static partial Regex Setting();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|TBD|NotImplementedException)\b")]
    private static partial Regex Leftover();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
