using System.Diagnostics;
using System.Net;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;
using Fleet.Updates.Tuf.Repository;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;

namespace Fleet.Updates.Tests.Tuf;

/// <summary>
/// The JavaScript implementation reads what we publish, and we read what it publishes. Skipped where node or its packages are not to be had.
/// </summary>
public sealed class InteropTests : IDisposable
{
    // tuf-js has no clock to set, so these tests run in the present.
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    private static readonly Lazy<string?> Scripts = new(Install);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("fleet-tuf-");

    public void Dispose() => _directory.Delete(recursive: true);

    [SkippableFact]
    public async Task Tuf_js_reads_what_we_publish()
    {
        var scripts = Needed();
        var (rootKey, roleKey, team) = (SigningKey.NewEd25519(), SigningKey.NewEcdsa(), SigningKey.NewEd25519());
        var writer = new RepositoryWriter(In("repository"));
        var roles = RoleNames.TopLevel.ToDictionary(r => r, r => TestRepository.Signers([r == "root" ? rootKey : roleKey]));
        writer.PublishRoot(Now, MetadataDocument.Sign(writer.DraftRoot(Now, roles), rootKey));
        var (newRootKey, online) = (SigningKey.NewEcdsa(), new OnlineKeys([SigningKey.NewEd25519()], [SigningKey.NewEd25519()]));
        var changed = new Dictionary<string, Signers>
        {
            ["root"] = TestRepository.Signers([newRootKey, rootKey], 2),
            ["snapshot"] = TestRepository.Signers(online.Snapshot),
            ["timestamp"] = TestRepository.Signers(online.Timestamp),
        };
        writer.PublishRoot(Now, MetadataDocument.Sign(writer.DraftRoot(Now, changed), rootKey, newRootKey));
        var custom = StrictJson.Parse("""{"name":"Kasse \"Süd\" 😀","z":[1,-2,{"b":null,"a":true}]}"""u8, 1000);
        var app = await writer.AddTargetAsync("apps/app.bin", new MemoryStream([.. "our app"u8]), custom);
        var tool = await writer.AddTargetAsync("team/tool", new MemoryStream([.. "our tool"u8]));
        var bins = new SuccinctRoles(TestRepository.Signers([team]), BitLength: 4, "bin");
        writer.Publish(Now, online,
            Sign(writer.Draft(Now, "targets", [app], new Delegations([new DelegatedRole("team", TestRepository.Signers([team]), false, ["team/*"])])), roleKey),
            Sign(writer.Draft(Now, "team", [], new Delegations([], bins)), team),
            Sign(writer.Draft(Now, bins.BinOf("team/tool").Name, [tool]), team));
        await using var server = await Serve(In("repository"));

        var output = Run("node", scripts, "read.mjs", server.Urls.First(), Path.Combine(In("repository"), "metadata", "1.root.json"), In("client"),
            "apps/app.bin", "team/tool", "other");

        Assert.Equal(["our app", "our tool", "missing"], output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [SkippableFact]
    public async Task We_read_what_tuf_js_publishes()
    {
        Run("node", Needed(), "write.mjs", In("repository"));
        await using var server = await Serve(In("repository"));
        using var metadata = new HttpSource(new Uri($"{server.Urls.First()}/metadata"));
        using var targets = new HttpSource(new Uri($"{server.Urls.First()}/targets"));
        var store = new MetadataDirectory(In("client"));
        TufClient.Begin(store, await File.ReadAllBytesAsync(Path.Combine(In("repository"), "metadata", "1.root.json")), Now);
        var client = new TufClient(metadata, targets, store, TimeProvider.System);

        await client.RefreshAsync(Now);

        foreach (var (name, content) in new[] { ("app.bin", "app of tuf-js"), ("team/tool", "tool of tuf-js"), ("by-hash", "bin of tuf-js") })
        {
            using var file = await client.DownloadAsync((await client.FindAsync(name))!, In(Uri.EscapeDataString(name)));
            using var reader = new StreamReader(file);
            Assert.Equal(content, await reader.ReadToEndAsync());
        }

        Assert.Equal("Kasse \"Süd\" \\ 😀", (await client.FindAsync("app.bin"))?.Custom?.GetProperty("name").GetString());
        Assert.Null(await client.FindAsync("other"));
        Assert.Equal(2, client.Trusted!.Root.Version);
    }

    private string In(string name) => Path.Combine(_directory.FullName, name);

    private static RoleDocument Sign(RoleDocument draft, SigningKey key) => draft with { Content = MetadataDocument.Sign(draft.Content, key) };

    private static async Task<WebApplication> Serve(string directory)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(o => o.Listen(IPAddress.Loopback, 0));
        var server = builder.Build();
        server.UseStaticFiles(new StaticFileOptions { FileProvider = new PhysicalFileProvider(directory), ServeUnknownFileTypes = true });
        await server.StartAsync();
        return server;
    }

    private static string Needed()
    {
        Skip.If(Scripts.Value is null, "node, npm or the packages of tests/TufConformance/interop are not to be had (Debian: apt-get install nodejs npm)");
        return Scripts.Value!;
    }

    // Beside the built tests, so that packages are fetched once.
    private static string? Install()
    {
        var scripts = Path.Combine(AppContext.BaseDirectory, "interop");
        try
        {
            if (!Directory.Exists(Path.Combine(scripts, "node_modules")))
                Run("npm", scripts, "install", "--no-audit", "--no-fund", "--no-package-lock", "--fetch-retries=0", "--loglevel=error");
            return scripts;
        }
        catch (Exception fault) when (fault is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            return null;
        }
    }

    private static string Run(string program, string directory, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} {arguments[0]}: {errors.Result}");
    }
}
