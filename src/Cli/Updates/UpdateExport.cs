using System.CommandLine;
using Fleet.Cli.Output;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Contracts.Storage;
using Fleet.Updates.Mirroring;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;
using Spectre.Console;

namespace Fleet.Cli.Updates;

/// <summary><c>fleet update export</c>: copies the repository to a folder, for offices whose line is too poor for it.</summary>
internal static class UpdateExport
{
    public static Command Make(FleetCommands commands)
    {
        var folder = new Argument<string>("folder") { Description = "Where the copy is written, such as a disk that is sent by post; one that is there is brought up to date." };
        var packages = new Option<string[]>("--package") { Description = "Only the content of this package; may repeat. Default: all.", HelpName = "NAME", AllowMultipleArgumentsPerToken = true };
        return commands.Remote("export", "Copies the repository to a folder that distribution points can download from. Cut short, the same again goes on where it ended.", """
            fleet update export /media/disk/updates
            fleet update export /media/disk/updates --package tills office-suite
            """,
            async call =>
            {
                var path = Path.GetFullPath(call.Value(folder));
                // Who can't reach headquarters, or is not let in, is told so before the folder is touched.
                await call.Client.Get("repository/keys", ApiJson.Default.RepositoryKeysResource, call.Cancellation).ConfigureAwait(false);
                try
                {
                    var result = await Exported(call, path, call.Value(packages) ?? []).ConfigureAwait(false);
                    call.Display.Show(result, UpdateJson.Default.ExportedResource, () => call.Display.Say(Told(result)));
                }
                catch (UnauthorizedAccessException denied)
                {
                    throw new CommandFailure($"{path} can't be written: {denied.Message}");
                }
                catch (Exception fault) when (fault is IOException or StorageException or TufException)
                {
                    throw new CommandFailure($"the export to {path} is not whole: {fault.Message}\nWhat came stays; the same command goes on with it");
                }
            },
            folder, packages);
    }

    private static async Task<ExportedResource> Exported(RemoteCall call, string folder, string[] names)
    {
        var export = new RepositoryExport(folder, Pace.Default, call.Terminal.Clock);
        var plan = await export.Plan(call.Client.Repository, p => names.Length == 0 || names.Contains(p.Name), call.Cancellation).ConfigureAwait(false);
        if (plan.Names.Count == 0)
            throw new CommandFailure("headquarters has published no package yet; publish one first: fleet update publish NAME --version VERSION --file PATH");
        if (names.FirstOrDefault(n => !plan.Names.Contains(n)) is { } unknown)
            throw new CommandFailure($"there is no package '{unknown}'{NearMiss.Hint(unknown, plan.Names)}");
        await Watched(call, export, plan).ConfigureAwait(false);
        return new ExportedResource(folder, plan.Packages.Count, plan.Length, export.Fetched, (ulong)plan.Trusted.Timestamp!.Version, plan.Trusted.Timestamp.Expires);
    }

    private static Task Watched(RemoteCall call, RepositoryExport export, ExportPlan plan) => !call.Terminal.IsInteractive || call.Display.Json
        ? export.Bring(plan, call.Cancellation)
        : call.Display.Drawing.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(progress =>
            {
                var bar = progress.AddTask("exporting", maxValue: Math.Max(1, plan.Length));
                export.Came += bytes => bar.Increment(bytes);
                return export.Bring(plan, call.Cancellation);
            });

    private static string Told(ExportedResource result) =>
        $"exported {result.Versions} versions of packages, {Words.Size(result.Length)}, to {result.Folder}; {Words.Size(result.FetchedBytes)} fetched\n"
        + "distribution points that see the folder download from it: fleet update task create NAME --source THE-FOLDER-THERE headquarters\n"
        + $"one that does not reach headquarters takes it until {Words.At(result.ValidUntil)}";
}

/// <summary>What <c>fleet update export</c> prints as JSON.</summary>
/// <param name="Versions">Versions of packages whose content is there.</param>
/// <param name="Length">Bytes of all content, each once.</param>
/// <param name="FetchedBytes">That came from headquarters for it; the others were there.</param>
/// <param name="Timestamp">Version of the repository.</param>
/// <param name="ValidUntil">Until when its signed metadata is taken; content is taken by its hash at any time.</param>
internal sealed record ExportedResource(string Folder, int Versions, long Length, long FetchedBytes, ulong Timestamp, DateTimeOffset ValidUntil);
