using System.CommandLine;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;

// The client protocol of the TUF conformance suite (github.com/theupdateframework/tuf-conformance, CLIENT-CLI.md): exit code 0 or 1.
var metadataDirectory = new Option<string>("--metadata-dir") { Required = true, Recursive = true };
var metadataUrl = new Option<string>("--metadata-url") { Recursive = true };
var targetUrl = new Option<string>("--target-base-url") { Recursive = true };
var targetDirectory = new Option<string>("--target-dir") { Recursive = true };
var targetNames = new Option<string[]>("--target-name") { Recursive = true };
var root = new Argument<FileInfo>("root");

var init = new Command("init") { root };
init.SetAction((arguments, stop) => Reported(async () =>
    TufClient.Begin(Store(arguments), await File.ReadAllBytesAsync(arguments.GetRequiredValue(root).FullName, stop), DateTimeOffset.UtcNow)));

var refresh = new Command("refresh");
refresh.SetAction((arguments, stop) => Reported(async () =>
{
    using var metadata = new HttpSource(new Uri(arguments.GetRequiredValue(metadataUrl)));
    await new TufClient(metadata, metadata, Store(arguments), TimeProvider.System).RefreshAsync(DateTimeOffset.UtcNow, stop: stop);
}));

var download = new Command("download");
download.SetAction((arguments, stop) => Reported(async () =>
{
    using var metadata = new HttpSource(new Uri(arguments.GetRequiredValue(metadataUrl)));
    using var targets = new HttpSource(new Uri(arguments.GetRequiredValue(targetUrl)));
    var client = new TufClient(metadata, targets, Store(arguments), TimeProvider.System);
    await client.RefreshAsync(DateTimeOffset.UtcNow, stop: stop);
    foreach (var name in arguments.GetRequiredValue(targetNames))
    {
        var target = await client.FindAsync(name, stop) ?? throw new TufException(TufFault.Missing, name, "no role lists it");
        var path = Path.Combine(arguments.GetRequiredValue(targetDirectory), Uri.EscapeDataString(name));
        await using var file = await client.DownloadAsync(target, path, stop);
    }
}));

var program = new RootCommand("A TUF client for the conformance suite")
{
    metadataDirectory, metadataUrl, targetUrl, targetDirectory, targetNames, init, refresh, download,
};
return await program.Parse(args).InvokeAsync();

MetadataDirectory Store(ParseResult arguments) => new(arguments.GetRequiredValue(metadataDirectory));

static async Task<int> Reported(Func<Task> work)
{
    try
    {
        await work();
        return 0;
    }
    catch (Exception fault) when (fault is TufException or IOException)
    {
        Console.Error.WriteLine(fault.Message);
        return 1;
    }
}
