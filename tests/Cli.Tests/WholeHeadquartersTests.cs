using Fleet.Contracts;
using Fleet.Headquarters;
using Fleet.Headquarters.Identity;
using Fleet.Messages.Transport;
using Fleet.TestSupport;
using Fleet.TestSupport.Apt;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Fetching;
using Fleet.Updates.Mirroring;
using Fleet.Updates.Packages;
using Fleet.Updates.Tuf.Client;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fleet.Cli.Tests;

/// <summary>The commands against a whole headquarters in this process.</summary>
public sealed class WholeHeadquartersTests : IAsyncLifetime
{
    private readonly TestTerminal _terminal = new();
    private HeadquartersNode _node = null!;

    public async Task InitializeAsync() => _node = await WholeHeadquarters.Start(_terminal);

    public async Task DisposeAsync()
    {
        await _node.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        _terminal.Dispose();
    }

    [Fact]
    public async Task An_operator_opens_an_office_and_lets_its_first_node_in()
    {
        Assert.Contains("fleet office add", (await _terminal.Run("office", "list")).Done().Error, StringComparison.Ordinal);

        Assert.Contains("fleet token create --office leeds", (await _terminal.Run("office", "add", "leeds", "--title", "Leeds, Park Row")).Done().Out, StringComparison.Ordinal);
        var token = (await _terminal.Run("token", "create", "--office", "leeds", "--kind", "node", "--ttl", "1h")).Done();
        var status = (await _terminal.Run("status", "--json")).Json();

        Assert.True(JoinToken.TryParse(token.Out, out var join, out var problem), problem);
        Assert.Equal("leeds", join!.Office.Value);
        Assert.Contains(join.Id.Value, (await _terminal.Run("token", "list")).Done().Out, StringComparison.Ordinal);
        Assert.Equal(1, status.GetProperty("offices").GetInt32());
    }

    [Fact]
    public async Task A_backup_is_made_checked_anywhere_and_a_headquarters_made_of_it()
    {
        (await _terminal.Run("office", "add", "leeds")).Done();
        var (passphrase, file, data) = (Path.Combine(_terminal.Home, "passphrase"), Path.Combine(_terminal.Home, "fleet.backup"), Path.Combine(_terminal.Home, "restored"));
        await File.WriteAllTextAsync(passphrase, "correct horse battery\n");

        Assert.Contains("--plain", (await _terminal.Run("backup", "create", "--to", file)).Error, StringComparison.Ordinal);
        var made = (await _terminal.Run("backup", "create", "--to", file, "--passphrase-file", passphrase, "--json")).Json();
        Assert.Contains("is there already", (await _terminal.Run("backup", "create", "--to", file, "--plain")).Error, StringComparison.Ordinal);
        Assert.Contains("shown with --passphrase-file", (await _terminal.Run("backup", "verify", file)).Done().Out, StringComparison.Ordinal);
        Assert.Contains("headquarters restore --data /srv/hq --from fleet.backup", (await _terminal.Run("backup", "restore", file, "--passphrase-file", passphrase, "--data", "/srv/hq")).Done().Out, StringComparison.Ordinal);
        List<string> said = [];
        await HeadquartersNode.Restore(data, file, "correct horse battery", WholeHeadquarters.Options, new TcpNetwork(), TimeProvider.System, NullLoggerFactory.Instance, said.Add);

        Assert.Contains(said, s => s.Contains(made.GetProperty("journalHash").GetString()!, StringComparison.Ordinal));
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(file) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        await _node.DisposeAsync();
        _node = await WholeHeadquarters.Start(_terminal, data);
        Assert.Contains("leeds", (await _terminal.Run("office", "list")).Done().Out, StringComparison.Ordinal);
        await File.WriteAllBytesAsync(file, (await File.ReadAllBytesAsync(file))[..^1]);
        Assert.Contains("cut short", (await _terminal.Run("backup", "verify", file)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_apt_repository_is_added_shown_with_the_line_for_devices_and_removed()
    {
        var keyring = Path.Combine(_terminal.Home, "vendor.asc");
        await File.WriteAllBytesAsync(keyring, TestKey.EdDsa(DateTimeOffset.UtcNow.AddYears(-1)).ArmoredPublic);

        (await _terminal.Run("update", "apt", "add", "vendor", "--from", "https://deb.example.org/", "--keyring", keyring, "--suite", "stable")).Done();

        Assert.Contains("/apt/vendor/ stable main", (await _terminal.Run("update", "apt", "show", "vendor")).Done().Out, StringComparison.Ordinal);
        Assert.Contains("https://deb.example.org", (await _terminal.Run("update", "apt", "list")).Done().Out, StringComparison.Ordinal);
        (await _terminal.Run("update", "apt", "remove", "vendor")).Done();
        Assert.Contains("no APT repositories", (await _terminal.Run("update", "apt", "list")).Done().Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_vendor_is_added_and_what_it_lists_is_published_as_it_signed_it()
    {
        var acme = new FolderRepository(Path.Combine(_terminal.Home, "acme"));
        await acme.Publish("acme-scale", "3.2", InstallKind.Archive, ("scale", [.. "program"u8]));
        var root = Path.Combine(acme.Folder, "metadata", "1.root.json");

        (await _terminal.Run("update", "vendor", "add", "acme", "--root", root, "--packages", "acme-*", "--source", acme.Folder)).Done();
        var shown = (await _terminal.Run("update", "vendor", "show", "acme")).Done().Out;
        var own = await _terminal.Run("update", "publish", "acme-scale", "--version", "4", "--file", root);
        var published = (await _terminal.Run("update", "publish", "acme-scale", "--version", "3.2", "--vendor", "acme")).Done().Out;
        var both = await _terminal.Run("update", "publish", "acme-scale", "--version", "3.2", "--vendor", "acme", "--file", root);
        var neither = await _terminal.Run("update", "publish", "acme-scale", "--version", "3.2");

        Assert.Contains("acme-scale", shown, StringComparison.Ordinal);
        Assert.Contains("is a package of vendor acme", own.Error, StringComparison.Ordinal);
        Assert.Equal("published acme-scale 3.2 as vendor acme signed it: 1 files, 7 B\n", published);
        Assert.Contains("--file and --install are for your own files", both.Error, StringComparison.Ordinal);
        Assert.Contains("give --file PATH for your own files, or --vendor VENDOR", neither.Error, StringComparison.Ordinal);
        Assert.Contains("yes", (await _terminal.Run("update", "vendor", "refresh", "acme")).Done().Out, StringComparison.Ordinal);
        (await _terminal.Run("update", "vendor", "remove", "acme")).Done();
        Assert.Contains("no vendors", (await _terminal.Run("update", "vendor", "list")).Done().Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_download_task_is_created_run_paused_and_removed_and_what_it_can_not_do_is_refused()
    {
        (await _terminal.Run("office", "add", "leeds")).Done();

        var made = (await _terminal.Run("update", "task", "create", "nightly", "--source", "/srv/updates", "headquarters", "--office", "leeds", "--with-label", "line=poor", "--with-label", "floor=1", "--mirror", "till-*",
            "--schedule", "0 2 * * *", "--time-zone", "Europe/London", "--spread", "1h", "--uplink", "0-6=20MB,6-22=1MB", "--json")).Json();
        var ran = (await _terminal.Run("update", "task", "run", "nightly", "--json")).Json();
        var paused = await _terminal.Run("update", "task", "pause", "nightly");
        var again = await _terminal.Run("update", "task", "run", "nightly");

        Assert.Equal((3600, 3), (made.GetProperty("spreadSeconds").GetInt32(), made.GetProperty("uplink").GetArrayLength()));
        Assert.NotEqual(0, ran.GetProperty("task").GetProperty("runNumber").GetInt32());
        Assert.Equal(0, ran.GetProperty("nodes").GetArrayLength());
        Assert.Contains("0-6=20MB,6-22=1MB", paused.Done().Out, StringComparison.Ordinal);
        Assert.Contains("resume it first", again.Error, StringComparison.Ordinal);
        Assert.Contains("paused", (await _terminal.Run("update", "task", "list")).Done().Out, StringComparison.Ordinal);
        (await _terminal.Run("update", "task", "resume", "nightly")).Done();
        Assert.Equal("poor", made.GetProperty("labels").GetProperty("line").GetString());
        Assert.Contains("floor=1, line=poor", paused.Out, StringComparison.Ordinal);
        Assert.Contains("fleet device label DEVICE", (await _terminal.Run("update", "task", "show", "nightly")).Done().Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, (await _terminal.Run("update", "task", "create", "nightly", "--with-label", "poor")).Code);
        Assert.Contains("is no schedule", (await _terminal.Run("update", "task", "create", "nightly", "--schedule", "soon")).Error, StringComparison.Ordinal);
        (await _terminal.Run("update", "task", "remove", "nightly")).Done();
        Assert.Contains("no tasks", (await _terminal.Run("update", "task", "list")).Done().Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_roots_key_moves_to_a_file_away_from_headquarters_and_keys_are_rotated_with_it_and_without()
    {
        string Path(string file) => System.IO.Path.Combine(_terminal.Home, file);
        _terminal.With("FLEET_KEY_PASSWORD", "correct horse");

        var rotated = (await _terminal.Run("update", "key", "rotate", "timestamp", "--json")).Json();
        (await _terminal.Run("update", "root", "key", Path("root.pem"))).Done();
        (await _terminal.Run("update", "root", "export", "--root-key", Path("root.pem.pub"), "--out", Path("next.json"))).Done();
        var unsigned = await _terminal.Run("update", "root", "import", Path("next.json"));
        var signed = (await _terminal.Run("update", "root", "sign", Path("next.json"), "--key", Path("root.pem"), "--json")).Json();
        var moved = (await _terminal.Run("update", "root", "import", Path("next.json"), "--json")).Json();
        var away = await _terminal.Run("update", "key", "rotate", "targets");
        (await _terminal.Run("update", "root", "export", "--rotate", "targets", "--out", Path("next.json"))).Done();
        _terminal.With("FLEET_KEY_PASSWORD", "wrong horse");
        var wrong = await _terminal.Run("update", "root", "sign", Path("next.json"), "--key", Path("root.pem"));
        _terminal.With("FLEET_KEY_PASSWORD", "correct horse");
        (await _terminal.Run("update", "root", "sign", Path("next.json"), "--key", Path("root.pem"))).Done();
        var last = (await _terminal.Run("update", "root", "import", Path("next.json"))).Done();

        Assert.Equal((2, 2, 3), (rotated.GetProperty("rootVersion").GetInt32(), signed.GetProperty("signedBy").GetArrayLength(), moved.GetProperty("rootVersion").GetInt32()));
        Assert.Contains("devices would refuse this root", unsigned.Error, StringComparison.Ordinal);
        Assert.Contains("fleet update root export --rotate targets", away.Error, StringComparison.Ordinal);
        Assert.Contains("the password is wrong", wrong.Error, StringComparison.Ordinal);
        Assert.Contains("version 4", last.Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Failed, (await _terminal.Run("update", "root", "key", Path("root.pem"))).Code);
        Assert.Contains("version 4", (await _terminal.Run("update", "key", "list")).Done().Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_policy_is_applied_shown_and_removed()
    {
        var file = Path.Combine(_terminal.Home, "shops.yaml");
        await File.WriteAllTextAsync(file, "name: shops\nsettings:\n  sync.interval: 30s\n");

        var first = (await _terminal.Run("policy", "apply", file, "--json")).Json();
        var again = (await _terminal.Run("policy", "apply", file, "--json")).Json();
        var shown = (await _terminal.Run("policy", "show", "shops", "--json")).Json();
        (await _terminal.Run("policy", "remove", "shops")).Done();

        Assert.Equal((1, true), (first.GetProperty("version").GetInt32(), first.GetProperty("changed").GetBoolean()));
        Assert.Equal((1, false), (again.GetProperty("version").GetInt32(), again.GetProperty("changed").GetBoolean()));
        Assert.Equal("30s", shown.GetProperty("settings").GetProperty("sync.interval").GetString());
        Assert.Equal(0, (await _terminal.Run("policy", "list", "--json")).Json().GetArrayLength());
    }

    [Fact]
    public async Task A_policy_that_headquarters_refuses_changes_nothing()
    {
        var file = Path.Combine(_terminal.Home, "wrong.yaml");
        await File.WriteAllTextAsync(file, "name: wrong\nsettings:\n  sync.interval: soon\n");

        var ran = await _terminal.Run("policy", "apply", file);

        Assert.Equal(ExitCode.Failed, ran.Code);
        Assert.Contains("sync.interval must be a duration", ran.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await _terminal.Run("policy", "list", "--json")).Json().GetArrayLength());
    }

    [Fact]
    public async Task What_an_operator_publishes_a_device_fetches_and_what_he_withdraws_it_does_not()
    {
        var build = Directory.CreateDirectory(Path.Combine(_terminal.Home, "build", "bin")).Parent!.FullName;
        var program = new byte[2_000_000];
        new Random(1).NextBytes(program);
        await File.WriteAllBytesAsync(Path.Combine(build, "bin", "till"), program);

        var published = (await _terminal.Run("update", "publish", "tills", "--version", "1.4.0", "--file", build, "--json")).Json();
        var (device, blobs) = await Device();
        var manifest = await Manifest(device, "packages/tills/1.4.0.json");
        var file = Assert.Single(manifest!.Files);
        await using var content = await blobs.Open(file.Content, 0, default);
        using var fetched = new MemoryStream();
        await content!.CopyToAsync(fetched);
        (await _terminal.Run("update", "withdraw", "tills", "1.4.0")).Done();
        await device.RefreshAsync(DateTimeOffset.UtcNow);

        Assert.Equal((2_000_000, "bin/till"), (published.GetProperty("uploadedBytes").GetInt32(), file.Path));
        Assert.Equal(program, fetched.ToArray());
        Assert.Null(await Manifest(device, "packages/tills/1.4.0.json"));
        Assert.Contains("fleet update publish", (await _terminal.Run("update", "list")).Done().Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_exported_to_a_folder_fills_a_mirror_that_reaches_nothing_else()
    {
        var (folder, build) = (Path.Combine(_terminal.Home, "disk"), Path.Combine(_terminal.Home, "till"));
        var program = new byte[1_000_000];
        new Random(2).NextBytes(program);
        await File.WriteAllBytesAsync(build, program);

        var empty = await _terminal.Run("update", "export", folder);
        (await _terminal.Run("update", "publish", "tills", "--version", "1.4.0", "--file", build)).Done();
        var unknown = await _terminal.Run("update", "export", folder, "--package", "tils");
        var first = (await _terminal.Run("update", "export", folder, "--package", "tills", "--json")).Json();
        var again = (await _terminal.Run("update", "export", folder)).Done();
        var blocked = await _terminal.Run("update", "export", build);

        Assert.Contains("fleet update publish", empty.Error, StringComparison.Ordinal);
        Assert.Contains("tills", unknown.Error, StringComparison.Ordinal);
        Assert.Equal((1, true), (first.GetProperty("versions").GetInt32(), first.GetProperty("fetchedBytes").GetInt32() > 1_000_000));
        Assert.Contains("0 B fetched", again.Out, StringComparison.Ordinal);
        Assert.Contains("till", blocked.Error, StringComparison.Ordinal);
        Assert.Equal([ExitCode.Failed, ExitCode.Failed, ExitCode.Failed], new[] { empty.Code, unknown.Code, blocked.Code });
        Assert.Equal(program, (await FilledFrom(folder)).ReadAll(BlobHash.Over(program), program.Length));
    }

    [Fact]
    public async Task What_is_published_for_devices_is_brought_to_them_by_a_rollout_of_one_ring()
    {
        (await _terminal.Run("office", "add", "leeds")).Done();
        await File.WriteAllTextAsync(Path.Combine(_terminal.Home, "till.sh"), "echo till");
        string[] publish = ["update", "publish", "tills", "--version", "1.4.0", "--file", Path.Combine(_terminal.Home, "till.sh"), "--for", "office=leeds label=room=shop"];

        var published = (await _terminal.Run([.. publish, "--json"])).Json().GetProperty("rollout");
        var again = (await _terminal.Run(publish)).Done();
        var elsewhere = await _terminal.Run([.. publish[..^1], "office=atlantis"]);
        var wrong = await _terminal.Run([.. publish[..^1], "leeds"]);

        Assert.Equal(("tills-1-4-0", "running", "leeds"), (published.GetProperty("name").GetString(), published.GetProperty("state").GetString(), published.GetProperty("for").GetProperty("offices")[0].GetString()));
        Assert.Contains("rollout tills-1-4-0 brings it to office=leeds label=room=shop", again.Out, StringComparison.Ordinal);
        Assert.Contains("office atlantis, which does not exist", elsewhere.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, wrong.Code);
    }

    [Fact]
    public async Task A_package_that_no_device_would_install_is_refused_before_it_is_uploaded()
    {
        var build = Directory.CreateDirectory(Path.Combine(_terminal.Home, "build")).FullName;
        await File.WriteAllTextAsync(Path.Combine(build, "con.txt"), "a device on Windows");

        var ran = await _terminal.Run("update", "publish", "tills", "--version", "1.4.0", "--file", build);

        Assert.Equal(ExitCode.Failed, ran.Code);
        Assert.Contains("'con.txt' has a segment that names a device on Windows", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_package_that_there_is_no_room_for_is_refused_with_what_to_do()
    {
        var large = Path.Combine(_terminal.Home, "large");
        await using (var file = File.Create(large))
            file.SetLength(100_000_000);

        var ran = await _terminal.Run("update", "publish", "large", "--version", "1", "--file", large);

        Assert.Equal(ExitCode.Failed, ran.Code);
        Assert.Contains("Raise the quota", ran.Error, StringComparison.Ordinal);
        Assert.Contains("(TooLarge)", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_is_refused_by_name()
    {
        foreach (var args in (string[][])[["office", "show", "atlantis"], ["office", "remove", "atlantis"], ["node", "show", "gw1.atlantis"], ["node", "assign", "gw1.atlantis", "--role", "gateway"],
            ["device", "show", "nobody"], ["token", "revoke", "t-none"], ["policy", "show", "none"],
            ["update", "show", "none", "1.0"], ["update", "withdraw", "none", "1.0"]])
        {
            var ran = await _terminal.Run(args);

            Assert.Equal(ExitCode.Failed, ran.Code);
            Assert.Contains(args[2].Split('.')[^1], ran.Error, StringComparison.Ordinal);
        }
    }

    // Any certificate of the CA will do.
    private SocketsHttpHandler Shown()
    {
        var own = CertificateAuthority.OpenOrCreate(Path.Combine(_terminal.Home, "hq"), new IdentityOptions(TimeSpan.FromDays(30)), TimeProvider.System).Own();
        return new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true, LocalCertificateSelectionCallback = (_, _, _, _, _) => own } };
    }

    private async Task<(TufClient Client, IBlobSource Blobs)> Device()
    {
        var address = new Uri($"https://{_node.Updates}/");
        var store = new MetadataDirectory(Path.Combine(_terminal.Home, "device"));
        using var http = new HttpClient(Shown());
        TufClient.Begin(store, await http.GetByteArrayAsync(new Uri(address, "metadata/1.root.json")), DateTimeOffset.UtcNow);
        var client = new TufClient(new HttpSource(new Uri(address, "metadata"), Shown()), new HttpSource(new Uri(address, "targets"), Shown()), store, TimeProvider.System);
        await client.RefreshAsync(DateTimeOffset.UtcNow);
        return (client, new HttpBlobSource(HttpBlobSource.Client(Shown()), new Uri(address, "blobs")));
    }

    /// <summary>What a mirror has that takes all packages from a folder.</summary>
    private async Task<BlobStore> FilledFrom(string folder)
    {
        var (source, clock) = (RepositorySource.OfFolder(folder), TimeProvider.System);
        var blobs = new BlobStore(Path.Combine(_terminal.Home, "mirrored"), BlobStoreOptions.Default with { MinFree = 0 }, clock);
        var fetcher = new BlobFetcher(blobs, _ => true, new Budget(clock), Pace.Default, clock);
        var mirror = new Mirror(Path.Combine(_terminal.Home, "mirror"), blobs, fetcher, new DeltaBuilder(blobs, fetcher, 1 << 20), Pace.Default, clock);
        mirror.Begin(await File.ReadAllBytesAsync(Path.Combine(folder, "metadata", "1.root.json")));
        await mirror.Refresh([source], clock.GetUtcNow(), 0, default);
        foreach (var package in mirror.Index.Packages.Values)
            await mirror.BringPackage(package.Name, package.Version, package.Manifest, _ => [source.Content], default);
        return blobs;
    }

    private async Task<PackageManifest?> Manifest(TufClient client, string path)
    {
        if (await client.FindAsync(path) is not { } target)
            return null;
        await using var file = await client.DownloadAsync(target, Path.Combine(_terminal.Home, "manifest"));
        using var bytes = new MemoryStream();
        await file.CopyToAsync(bytes);
        return PackageManifest.Read(bytes.ToArray());
    }
}
