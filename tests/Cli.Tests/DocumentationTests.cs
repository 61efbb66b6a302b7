using System.CommandLine;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Fleet.Cli.Backups;
using Fleet.Cli.Output;
using Fleet.Cli.Sizing;
using Fleet.Cli.Updates;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Tests;

/// <summary>docs/cli.md against the commands and the JSON that they print.</summary>
public sealed partial class DocumentationTests : IDisposable
{
    private static readonly string Doc = Read("docs/cli.md");

    private static readonly Dictionary<string, JsonTypeInfo[]> Documents = new()
    {
        ["status"] = [ApiJson.Default.StatusResource, ApiJson.Default.UnreadableRowResource],
        ["backup"] = [BackupCommandsJson.Default.BackupResource, BackupCommandsJson.Default.BackupOwnerResource],
        ["backups"] = [ApiJson.Default.BackupsResource, ApiJson.Default.StoredBackupResource],
        ["storage"] = [ApiJson.Default.StorageResource],
        ["cluster-node"] = [ApiJson.Default.ClusterNodeResource],
        ["cluster-invitation"] = [ApiJson.Default.ClusterInvitationResource],
        ["size"] = [SizingJson.Default.Sizing],
        ["office"] = [ApiJson.Default.OfficeResource],
        ["node"] = [ApiJson.Default.NodeResource],
        ["device"] = [ApiJson.Default.DeviceResource],
        ["device-detail"] = [ApiJson.Default.DeviceDetailResource, ApiJson.Default.PackageResource],
        ["inventory"] = [ApiJson.Default.InventoryResource, ApiJson.Default.DiskResource, ApiJson.Default.InterfaceResource],
        ["token"] = [ApiJson.Default.TokenResource],
        ["created-token"] = [ApiJson.Default.CreatedToken],
        ["policy"] = [ApiJson.Default.PolicyResource],
        ["policy-changed"] = [ApiJson.Default.PolicyChanged],
        ["incident"] = [ApiJson.Default.IncidentResource],
        ["poll"] = [ApiJson.Default.PollResource],
        ["poll-schedule"] = [ApiJson.Default.PollScheduleResource, ApiJson.Default.PollMethodResource, ApiJson.Default.DirectoryResource],
        ["discovered"] = [ApiJson.Default.DiscoveredResource, ApiJson.Default.AddressResource, ApiJson.Default.NameResource, ApiJson.Default.ServiceResource],
        ["install"] = [ApiJson.Default.InstallResource],
        ["rule"] = [ApiJson.Default.RuleResource],
        ["rule-touch"] = [ApiJson.Default.RuleTouchResource],
        ["seen-on-network"] = [ApiJson.Default.SeenOnNetworkResource],
        ["update"] = [ApiJson.Default.UpdateResource],
        ["update-detail"] = [ApiJson.Default.UpdateDetailResource, ApiJson.Default.UpdateFileResource],
        ["apt-repository"] = [ApiJson.Default.AptRepositoryResource],
        ["vendor"] = [ApiJson.Default.VendorResource],
        ["vendor-detail"] = [ApiJson.Default.VendorDetailResource, ApiJson.Default.VendorPackageResource],
        ["download-task"] = [ApiJson.Default.DownloadTaskResource, ApiJson.Default.DownloadSource, ApiJson.Default.UplinkLimit],
        ["download-task-detail"] = [UpdateJson.Default.TaskDetailResource, ApiJson.Default.DownloadNodeResource],
        ["repository-keys"] = [ApiJson.Default.RepositoryKeysResource, ApiJson.Default.RoleKeysResource],
        ["root-key"] = [UpdateJson.Default.RootKeyResource],
        ["root-file"] = [UpdateJson.Default.RootFileResource],
        ["published-update"] = [UpdateJson.Default.PublishedResource],
        ["exported-repository"] = [UpdateJson.Default.ExportedResource],
        ["rollout"] = [ApiJson.Default.RolloutResource, ApiJson.Default.RingResource],
        ["rollout-device"] = [ApiJson.Default.RolloutDeviceResource],
        ["package-path"] = [ApiJson.Default.PackagePathResource, ApiJson.Default.PathStepResource],
        ["counter"] = [ApiJson.Default.CounterResource],
        ["wake"] = [ApiJson.Default.WakeResource],
        ["wake-outcome"] = [ApiJson.Default.WakeOutcome],
        ["sync-requested"] = [ApiJson.Default.SyncRequested],
        ["dialled"] = [ApiJson.Default.NodeToDial],
        ["removed"] = [DisplayJson.Default.RemovedResource],
    };

    private readonly TestTerminal _terminal = new();

    public static TheoryData<string> Names => [.. Documents.Keys];

    public void Dispose() => _terminal.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void A_document_is_described_key_by_key(string name)
    {
        var described = Section(name).Split('\n').Where(l => l.StartsWith("| `", StringComparison.Ordinal)).SelectMany(KeysOf).Order().ToList();

        Assert.Equal(Documents[name].SelectMany(t => t.Properties).Select(p => p.Name).Order(), described);
    }

    [Fact]
    public void Every_command_has_its_line_and_every_line_a_document_that_is_described()
    {
        var lines = CommandLine().Matches(Doc).ToDictionary(m => m.Groups[1].Value + (m.Value.Contains("--no-wait", StringComparison.Ordinal) ? " --no-wait" : ""), m => m.Groups[2].Value);
        var commands = Leaves("fleet", FleetCli.Root(new FleetCommands(_terminal.Terminal()))).ToList();

        Assert.Equal(commands.Append("fleet device sync --no-wait").Order(), lines.Keys.Order());
        Assert.All(lines.Where(l => l.Key != "fleet completion"), l => Assert.Contains(Anchor().Match(l.Value).Groups[1].Value, Documents.Keys));
    }

    // The names of a row: all of its first cell, and those of the objects in an array.
    private static IEnumerable<string> KeysOf(string row)
    {
        var cells = row.Split('|');
        var inner = cells[2].Contains("array of objects:", StringComparison.Ordinal) ? cells[2] : "";
        return Name().Matches(cells[1] + inner).Select(m => m.Groups[1].Value);
    }

    private static string Section(string name)
    {
        var start = Doc.IndexOf($"\n### {name}\n", StringComparison.Ordinal);
        Assert.True(start >= 0, $"docs/cli.md does not describe {name}");
        var end = Doc.IndexOf("\n### ", start + 1, StringComparison.Ordinal);
        return end < 0 ? Doc[start..] : Doc[start..end];
    }

    private static IEnumerable<string> Leaves(string path, Command command) => command.Subcommands.Count == 0
        ? [path]
        : command.Subcommands.SelectMany(c => Leaves($"{path} {c.Name}", c));

    /// <summary>A file of the repository, by its path there.</summary>
    internal static string Read(string path)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, path)))
            folder = folder.Parent;
        return File.ReadAllText(Path.Combine(folder.FullName, path));
    }

    [GeneratedRegex("`([A-Za-z0-9]+)`")]
    private static partial Regex Name();

    [GeneratedRegex(@"^\| `(fleet(?: [a-z]+(?:-[a-z]+)*)+)[^`]*` \|[^|]*\| ([^|]*) ?\|$", RegexOptions.Multiline)]
    private static partial Regex CommandLine();

    [GeneratedRegex(@"\(#([a-z-]+)\)")]
    private static partial Regex Anchor();
}
