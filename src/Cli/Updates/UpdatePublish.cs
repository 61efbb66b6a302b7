using System.CommandLine;
using System.Text.Json.Serialization;
using Fleet.Cli.Output;
using Fleet.Cli.Rollouts;
using Fleet.Contracts.Api;
using Spectre.Console;

namespace Fleet.Cli.Updates;

/// <summary><c>fleet update publish</c>: hashes the files, uploads what headquarters does not have, and publishes; or has headquarters take it from a vendor.</summary>
internal static class UpdatePublish
{
    public static Command Make(FleetCommands commands)
    {
        var name = new Argument<string>("name") { Description = "The package's name." };
        var version = new Option<string>("--version") { Description = "Its version; one that is published never changes.", HelpName = "VERSION", Required = true };
        var file = new Option<string[]>("--file") { Description = "A file, or a folder with all that is in it; may repeat.", HelpName = "PATH", AllowMultipleArgumentsPerToken = true };
        var vendor = new Option<string?>("--vendor") { Description = "In place of files: headquarters takes the version from this vendor's repository, as the vendor signed it.", HelpName = "VENDOR" };
        var install = new Option<string>("--install") { Description = "How devices install it: archive (default), deb, msi or script.", HelpName = "KIND", DefaultValueFactory = _ => "archive" };
        install.AcceptOnlyFromAmong("archive", "deb", "msi", "script");
        var to = SelectorText.For("Devices that get it at once, by a rollout of one ring");
        return commands.Remote("publish", "Publishes a version of a package. Cut short, the same again goes on where it ended.", """
            fleet update publish tills --version 1.4.0 --file build/
            fleet update publish agent-tools --version 2.1 --file tools_2.1_amd64.deb --install deb
            fleet update publish tills --version 1.4.1 --file build/ --for office=leeds,york label=ring=canary
            fleet update publish acme-scale --version 3.2 --vendor acme
            """,
            async call =>
            {
                if (call.Value(vendor) is { } of)
                {
                    if (call.Value(file) is { Length: > 0 } || call.Parsed.GetResult(install) is { Implicit: false })
                        throw CommandFailure.Usage("--file and --install are for your own files; what --vendor brings is as the vendor signed it");
                    await FromVendor(call, of, new VendorUpdate(call.Value(name), call.Value(version)!), call.Value(to)).ConfigureAwait(false);
                    return;
                }

                if (call.Value(file) is not { Length: > 0 })
                    throw CommandFailure.Usage("give --file PATH for your own files, or --vendor VENDOR");
                var files = LocalFile.All(call.Value(file)!);
                var wanted = new NewUpdate(call.Value(name), call.Value(version)!, call.Value(install)!, [.. files.Select(f => new NewUpdateFile(f.Path, f.Mode, f.Sha256))]);
                var missing = await call.Client.Send(HttpMethod.Post, "updates/missing", wanted, ApiJson.Default.NewUpdate, ApiJson.Default.IReadOnlyListMissingContent, call.Cancellation).ConfigureAwait(false);
                var uploaded = await Upload(call, files, missing).ConfigureAwait(false);
                var done = await call.Client.Send(HttpMethod.Post, "updates", wanted, ApiJson.Default.NewUpdate, ApiJson.Default.UpdatePublished, call.Cancellation).ConfigureAwait(false);
                var rollout = call.Value(to) is { Length: > 0 } selector ? await Begin(call, done.Update, selector).ConfigureAwait(false) : null;
                var result = new PublishedResource(done.Update, done.Changed, uploaded, done.Update.Length - uploaded, rollout);
                call.Display.Show(result, UpdateJson.Default.PublishedResource, () => call.Display.Say(Told(result)));
            },
            name, version, file, vendor, install, to);
    }

    // Each answer says how far it is, or that it is done; headquarters goes on meanwhile, and when nobody asks.
    private static async Task FromVendor(RemoteCall call, string vendor, VendorUpdate wanted, string[]? to)
    {
        VendorPublished answer;
        do
        {
            answer = await call.Client.Send(HttpMethod.Post, VendorCommands.PathOf(vendor, "/publish"), wanted, ApiJson.Default.VendorUpdate, ApiJson.Default.VendorPublished, call.Cancellation).ConfigureAwait(false);
            if (answer.Published is null && call.Terminal.IsInteractive && !call.Display.Json)
                call.Display.Say($"headquarters has {Words.Size(answer.Here)} of {Words.Size(answer.Total)}");
        }
        while (answer.Published is null);

        var done = answer.Published;
        var rollout = to is { Length: > 0 } selector ? await Begin(call, done.Update, selector).ConfigureAwait(false) : null;
        var result = new PublishedResource(done.Update, done.Changed, 0, 0, rollout, vendor);
        call.Display.Show(result, UpdateJson.Default.PublishedResource, () => call.Display.Say(Told(result)));
    }

    private static string Told(PublishedResource result)
    {
        var package = $"{result.Update.Name} {result.Update.Version}";
        var published = result.Changed
            ? result.Vendor is { } vendor ? $"published {package} as vendor {vendor} signed it: {result.Update.Files} files, {Words.Size(result.Update.Length)}"
            : $"published {package}: {result.Update.Files} files, {Words.Size(result.Update.Length)}; {Words.Size(result.UploadedBytes)} uploaded, {Words.Size(result.SavedBytes)} need not be"
            : $"{package} is published already, with the same content";
        return result.Rollout is { } rollout ? $"{published}\nrollout {rollout.Name} brings it to {SelectorText.Of(rollout.For)}; watch it: fleet rollout show {rollout.Name}" : published;
    }

    private static Task<RolloutResource> Begin(RemoteCall call, UpdateResource update, string[] selector) => call.Client.Send(
        HttpMethod.Post, "rollouts", new NewRollout(update.Name, update.Version, For: SelectorText.Read(selector, out _)), ApiJson.Default.NewRollout, ApiJson.Default.RolloutResource, call.Cancellation);

    /// <returns>Bytes that were sent.</returns>
    private static async Task<long> Upload(RemoteCall call, IReadOnlyList<LocalFile> files, IReadOnlyList<MissingContent> missing)
    {
        var sources = files.DistinctBy(f => f.Sha256).ToDictionary(f => f.Sha256);
        var uploads = missing.Select(m => (File: sources[m.Sha256], From: Math.Min(m.Have, sources[m.Sha256].Length))).ToList();
        var sent = 0L;
        if (call.Terminal.IsInteractive && !call.Display.Json)
        {
            await call.Display.Drawing.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
                .StartAsync(progress =>
                {
                    var bar = progress.AddTask("uploading", maxValue: Math.Max(1, uploads.Sum(u => u.File.Length - u.From)));
                    return Each(bytes => bar.Increment(bytes));
                }).ConfigureAwait(false);
        }
        else
        {
            await Each(_ => { }).ConfigureAwait(false);
        }

        return sent;

        async Task Each(Action<int> tell)
        {
            foreach (var (file, from) in uploads)
            {
                await call.Client.Upload($"content/{file.Sha256}", file.Source, from, bytes =>
                {
                    sent += bytes;
                    tell(bytes);
                }, call.Cancellation).ConfigureAwait(false);
            }
        }
    }
}

/// <summary>What <c>fleet update publish</c> prints as JSON.</summary>
/// <param name="SavedBytes">Of the package, those that were at headquarters already, or in it twice.</param>
/// <param name="Rollout">The rollout that brings it to devices; absent: none was asked for.</param>
/// <param name="Vendor">Whose repository it was taken from; absent: it was published from files.</param>
internal sealed record PublishedResource(UpdateResource Update, bool Changed, long UploadedBytes, long SavedBytes, RolloutResource? Rollout = null, string? Vendor = null);

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PublishedResource))]
[JsonSerializable(typeof(ExportedResource))]
[JsonSerializable(typeof(TaskDetailResource))]
[JsonSerializable(typeof(RootKeyResource))]
[JsonSerializable(typeof(RootFileResource))]
internal sealed partial class UpdateJson : JsonSerializerContext;
