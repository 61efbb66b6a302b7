using System.CommandLine;
using System.Globalization;
using System.Text.Json.Serialization;
using Fleet.Backups;
using Fleet.Cli.Output;
using Fleet.Contracts.Api;
using Fleet.Contracts.Storage;
using Spectre.Console;

namespace Fleet.Cli.Backups;

/// <summary><c>fleet backup</c>.</summary>
internal static class BackupCommands
{
    private const int OwnersShown = 20;

    public static Command Make(FleetCommands commands) => new("backup", "Backups of headquarters, made while it serves.")
    {
        Create(commands),
        List(commands),
        Verify(commands),
        Restore(commands),
    };

    private static Command Create(FleetCommands commands)
    {
        var to = new Option<string?>("--to") { Description = "Where it is written. Default: a new file here, named by the time.", HelpName = "FILE" };
        var passphrase = Passphrase("Encrypts it with the passphrase in this file.");
        var plain = new Option<bool>("--plain") { Description = "Does not encrypt it, though it holds headquarters' private keys: who has it can be this headquarters." };
        var content = new Option<bool>("--without-content") { Description = "Leaves the files of packages out; after a restore they have to be published again." };
        return commands.Remote("create", "Makes a backup of headquarters while it serves, brings it to this machine and checks it: journal, identity, keys, update repository and settings.", """
            fleet backup create --passphrase-file ~/fleet-passphrase
            fleet backup create --to /backups/monday.backup --passphrase-file ~/fleet-passphrase --without-content
            """,
            async call =>
            {
                var secret = Secret(call.Value(passphrase));
                if (secret is null == !call.Value(plain))
                    throw CommandFailure.Usage("say --passphrase-file FILE, which encrypts the backup, or --plain: it holds headquarters' private keys");
                if (secret?.Length < BackupSeal.LeastPassphrase)
                    throw CommandFailure.Usage($"the passphrase of a backup has at least {BackupSeal.LeastPassphrase} characters");
                var path = Path.GetFullPath(call.Value(to) ?? $"fleet-{call.Terminal.Clock.GetUtcNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}.backup");
                if (File.Exists(path))
                    throw new CommandFailure($"{path} is there already, and a backup is not written over: name another file, or delete it");
                await Bring(call, path, new NewBackup(secret, call.Value(plain), call.Value(content))).ConfigureAwait(false);
                Show(call.Display, Checked(path, secret), "made");
            },
            to, passphrase, plain, content);
    }

    private static Command List(FleetCommands commands) => commands.Remote("list", "Lists the backups that headquarters makes by itself (fleet.backups), and says whether one is missed.", "fleet backup list",
        async call =>
        {
            var found = await call.Client.Get("backups", ApiJson.Default.BackupsResource, call.Cancellation).ConfigureAwait(false);
            call.Display.Show(found, ApiJson.Default.BackupsResource, () =>
            {
                if (found.Folder is null)
                {
                    call.Display.Say("headquarters makes none by itself: set fleet.backups.folder there");
                    return;
                }

                call.Display.Facts([("folder", found.Folder), ("next", found.NextAt is { } next ? Words.At(next) : "never"), ("problem", found.Problem ?? "none")]);
                call.Display.Section("Backups", ["FILE", "MADE", "SIZE"], [.. found.Backups.Select(IReadOnlyList<string> (b) => [b.Name, Words.At(b.MadeAt), Words.Size(b.Length)])]);
            });
        });

    private static Command Verify(FleetCommands commands)
    {
        var file = new Argument<string>("file") { Description = "The backup." };
        var passphrase = Passphrase("The passphrase that it was made with. Without it only damage is found, and what is inside is not shown.");
        return commands.Local("verify", "Checks every byte of a backup and shows what is in it. Needs no headquarters.", "fleet backup verify fleet.backup --passphrase-file ~/fleet-passphrase",
            (parsed, _) =>
            {
                Show(commands.Show(parsed), Checked(parsed.GetRequiredValue(file), Secret(parsed.GetValue(passphrase))), "whole");
                return Task.CompletedTask;
            },
            file, passphrase);
    }

    private static Command Restore(FleetCommands commands)
    {
        var file = new Argument<string>("file") { Description = "The backup." };
        var passphrase = Passphrase("The passphrase that it was made with.");
        var data = new Option<string>("--data") { Description = "The data directory that it will be restored to, on the machine that becomes headquarters.", HelpName = "DIR", DefaultValueFactory = _ => "/var/lib/fleet-hq" };
        return commands.Local("restore", "Checks a backup and says how to restore it: headquarters' own program does that, on the machine that becomes headquarters.", "fleet backup restore fleet.backup --passphrase-file ~/fleet-passphrase",
            (parsed, _) =>
            {
                var (path, secret, display) = (parsed.GetRequiredValue(file), parsed.GetValue(passphrase), commands.Show(parsed));
                var found = Checked(path, Secret(secret));
                Show(display, found, "whole");
                if (!display.Json)
                    display.Say($"""

                        On the machine that becomes headquarters, with the old one stopped for good and {parsed.GetValue(data)} missing or empty:
                          headquarters restore --data {parsed.GetValue(data)} --from {Path.GetFileName(path)}{(found.Encrypted ? $" --passphrase-file {secret ?? "FILE"}" : "")} [--config FILE]
                        """);
                return Task.CompletedTask;
            },
            file, passphrase, data);
    }

    private static Option<string?> Passphrase(string what) => new("--passphrase-file") { Description = what, HelpName = "FILE" };

    private static string? Secret(string? file)
    {
        try
        {
            return file is null ? null : BackupSeal.ReadPassphrase(file);
        }
        catch (BackupException wrong)
        {
            throw new CommandFailure(wrong.Message);
        }
    }

    // Under its name it is there only when all of it came.
    private static async Task Bring(RemoteCall call, string path, NewBackup wanted)
    {
        var part = path + DurableFile.NewSuffix;
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            var file = new FileStream(part, options);
            await using (file.ConfigureAwait(false))
            {
                await Watched(call, came => call.Client.Download("backups", wanted, ApiJson.Default.NewBackup, file, came, call.Cancellation)).ConfigureAwait(false);
                file.Flush(flushToDisk: true);
            }

            DurableFile.Move(part, path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"{path} can't be written: {fault.Message}");
        }
        finally
        {
            File.Delete(part);
        }
    }

    private static Task Watched(RemoteCall call, Func<Action<int>, Task> bring) => !call.Terminal.IsInteractive || call.Display.Json
        ? bring(_ => { })
        : call.Display.Drawing.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new SpinnerColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new ElapsedTimeColumn())
            .StartAsync(progress =>
            {
                var bar = progress.AddTask("making the backup", maxValue: double.MaxValue);
                return bring(bytes => bar.Increment(bytes));
            });

    private static BackupResource Checked(string path, string? passphrase)
    {
        try
        {
            using var backup = BackupReader.Open(path);
            backup.CheckWhole();
            var size = new FileInfo(path).Length;
            var sealedOff = backup.Header.Seal is not null;
            var manifest = sealedOff && passphrase is null ? null : backup.Read(passphrase, (_, _) => { });
            return new BackupResource(path, size, backup.Header.Version, backup.Header.MadeAt, sealedOff, manifest?.Storage, manifest?.CutPosition, manifest?.Events, manifest?.Snapshots, manifest?.JournalHash,
                manifest?.WithContent, manifest?.LeftOut, manifest?.Entries.Count, manifest?.Owners.Select(o => new BackupOwnerResource(o.PersistenceId, o.Events, o.Snapshots, o.Hash)).ToList());
        }
        catch (BackupException wrong)
        {
            throw new CommandFailure($"{path} can't be used: {wrong.Message}");
        }
    }

    private static void Show(Display display, BackupResource backup, string state) => display.Show(backup, BackupCommandsJson.Default.BackupResource, () =>
    {
        display.Facts(
        [
            ("backup", $"{backup.File}: {state}, {Words.Size(backup.Length)}{(backup.Encrypted ? ", encrypted" : ", not encrypted")}"),
            ("made", $"{Words.At(backup.MadeAt)} by headquarters {backup.Version}"),
        ]);
        if (backup.Events is not { } events)
        {
            display.Say("what is inside is shown with --passphrase-file");
            return;
        }

        display.Facts(
        [
            ("journal", $"{Words.Number(events)} events up to position {backup.CutPosition}, {Words.Number(backup.Snapshots!.Value)} snapshots, of {Words.Number(backup.Owners!.Count)} owners, on {backup.Storage}"),
            ("SHA-256", backup.JournalHash!),
            ("content", backup.WithContent == false ? "the files of packages are not in it" : backup.LeftOut is { Count: > 0 } lost ? $"with the files of packages but {Words.Number(lost.Count)}, which headquarters' disk had lost" : "with the files of packages"),
        ]);
        display.Section("Owners", ["OWNER", "EVENTS", "SNAPSHOTS", "SHA-256"],
        [
            .. backup.Owners.Take(OwnersShown).Select(IReadOnlyList<string> (o) => [o.Id, Words.Number(o.Events), Words.Number(o.Snapshots), o.Sha256]),
            .. backup.Owners.Count > OwnersShown ? (IEnumerable<IReadOnlyList<string>>)[[$"and {backup.Owners.Count - OwnersShown} more", "", "", "--json shows all"]] : [],
        ]);
    });
}

/// <summary>What the commands of <c>fleet backup</c> print as JSON. What is inside a backup that is encrypted is absent where its passphrase was not given.</summary>
/// <param name="Length">Bytes of the file.</param>
/// <param name="CutPosition">The newest event in it; of those before it none is missing.</param>
/// <param name="JournalHash">SHA-256 over all owners' hashes; a restore prints the same.</param>
/// <param name="LeftOut">Content that headquarters' disk had lost, by its hash.</param>
/// <param name="Entries">Pieces that it consists of.</param>
internal sealed record BackupResource(
    string File,
    long Length,
    string Version,
    DateTimeOffset MadeAt,
    bool Encrypted,
    string? Storage,
    long? CutPosition,
    long? Events,
    long? Snapshots,
    string? JournalHash,
    bool? WithContent,
    IReadOnlyList<string>? LeftOut,
    int? Entries,
    IReadOnlyList<BackupOwnerResource>? Owners);

/// <summary>What the journal held of an office, or of the company.</summary>
internal sealed record BackupOwnerResource(string Id, long Events, long Snapshots, string Sha256);

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(BackupResource))]
internal sealed partial class BackupCommandsJson : JsonSerializerContext;
