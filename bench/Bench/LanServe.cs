using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts.Identity;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Kernel;
using Fleet.TestSupport;
using Fleet.Updates.Content;

namespace Fleet.Bench;

/// <summary>
/// How fast files go out as a distribution point serves them, each byte verified, beside nginx with sendfile, which verifies nothing: the same files in the
/// page cache, the same clients, in turns. Seconds of processor time a GiB are the servers' alone; where the machine is busy they say more than bytes a second.
/// </summary>
internal static class LanServe
{
    private const int Rounds = 7;
    private const double Megabyte = 1e6;
    private const double Gibibyte = 1L << 30;

    /// <summary>Of nginx's bytes a second.</summary>
    private const double Budget = 0.8;

    private static readonly TimeSpan Lasts = TimeSpan.FromSeconds(2);

    public static Benchmark Benchmark { get; } = new("lan-serve", "files served as a distribution point does, beside nginx", Run);

    private static async Task<IReadOnlyDictionary<string, double>> Run(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        DebianPackages.Require("nginx");
        var directory = Leftovers.MakeScratch();
        using var authority = new TestAuthority();
        try
        {
            var files = new List<ServedFile> { await Make(directory, "1mb", 1_000_000).ConfigureAwait(false), await Make(directory, "100mb", 100_000_000).ConfigureAwait(false) };
            await Certify(directory, authority).ConfigureAwait(false);
            using var own = await LabProcess.Start("content server", [Environment.ProcessPath!, ContentServer.Command, directory.FullName], ContentServer.Ready, TimeSpan.FromSeconds(20)).ConfigureAwait(false);
            var ports = own.Lines(ContentServer.Ready)[0].Split(' ')[^2..].Select(p => int.Parse(p, CultureInfo.InvariantCulture)).ToList();
            using var nginx = await Nginx(directory, "nginx", "1").ConfigureAwait(false);
            using var two = await Nginx(directory, "nginx_auto", "auto").ConfigureAwait(false);
            Server[] servers = [new("ours", own, f => $"/blobs/{f.Hash}", ports[0], ports[1]), new("nginx", nginx.Process, f => $"/{f.Name}", nginx.Plain, nginx.Tls), new("nginx_auto", two.Process, f => $"/{f.Name}", two.Plain, two.Tls)];
            using var device = authority.Issue(PeerIdentity.Of(new Contracts.DeviceId("till-1")));

            var figures = new Dictionary<string, double>();
            foreach (var file in files)
            {
                Compare(figures, step, file.Name, servers, s => Measure(s, file, s.Plain, open: null), stop);
                Compare(figures, step, $"tls_{file.Name}", servers[..2], s => Measure(s, file, s.Tls, stream => Secured(stream, device)), stop);
            }

            if (figures["ratio_1mb"] < Budget || figures["ratio_100mb"] < Budget)
                step(string.Create(CultureInfo.InvariantCulture, $"below the budget of {Budget} of nginx"));
            return figures;
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static void Compare(Dictionary<string, double> figures, Action<string> step, string what, Server[] servers, Func<Server, Rate> measure, CancellationToken stop)
    {
        // The first is made ready: code compiled, files in the page cache.
        var rounds = new List<List<Rate>>();
        for (var round = -1; round < Rounds; round++)
        {
            var rates = new List<Rate>();
            foreach (var server in servers)
            {
                stop.ThrowIfCancellationRequested();
                rates.Add(measure(server));
            }

            if (round >= 0)
                rounds.Add(rates);
        }

        for (var n = 0; n < servers.Length; n++)
        {
            var (speed, cpu) = (Median(rounds.Select(r => r[n].MegabytesPerSecond)), Median(rounds.Select(r => r[n].CpuPerGibibyte)));
            (figures[$"{servers[n].Name}_{what}_mb_s"], figures[$"{servers[n].Name}_{what}_cpu_s_per_gib"]) = (Math.Round(speed), Math.Round(cpu, 2));
            step(string.Create(CultureInfo.InvariantCulture, $"{what}, {servers[n].Name}: {speed:0} MB/s, {cpu:0.00} s of processor time a GiB"));
        }

        for (var n = 1; n < servers.Length; n++)
            figures[$"ratio{servers[n].Name["nginx".Length..]}_{what}"] = Math.Round(Median(rounds.Select(r => r[0].MegabytesPerSecond / r[n].MegabytesPerSecond)), 2);
        step(string.Create(CultureInfo.InvariantCulture, $"{what}: {figures[$"ratio_{what}"]:0.00} of nginx; the machine's load is {File.ReadAllText("/proc/loadavg").Split(' ')[0]}"));
    }

    private static Rate Measure(Server server, ServedFile file, int port, Func<Stream, Stream>? open)
    {
        var before = CpuSeconds(server.Process.Id);
        var (bytes, seconds) = LanClients.Fetch(new IPEndPoint(IPAddress.Loopback, port), server.Path(file), Lasts, open);
        return new Rate(bytes / seconds / Megabyte, (CpuSeconds(server.Process.Id) - before) / (bytes / Gibibyte));
    }

    private static SslStream Secured(Stream stream, X509Certificate2 device)
    {
        // Who serves is of no matter here, so it is not judged.
        var tls = new SslStream(stream);
        tls.AuthenticateAsClient(new SslClientAuthenticationOptions
        {
            TargetHost = "bench", ClientCertificateContext = SslStreamCertificateContext.Create(device, null, offline: true), RemoteCertificateValidationCallback = (_, _, _, _) => true,
        });
        return tls;
    }

    private static async Task<ServedFile> Make(DirectoryInfo directory, string name, int bytes)
    {
        var content = RandomNumberGenerator.GetBytes(bytes);
        var hash = BlobHash.Over(content);
        var store = new BlobStore(Path.Combine(directory.FullName, "store"), BlobStoreOptions.Default with { MinFree = 0 }, TimeProvider.System);
        using var part = store.Begin(hash, bytes, _ => true);
        await part.Write(content, CancellationToken.None).ConfigureAwait(false);
        part.Commit();
        var beside = directory.CreateSubdirectory("files");
        await File.WriteAllBytesAsync(Path.Combine(beside.FullName, name), content).ConfigureAwait(false);
        return new ServedFile(name, hash);
    }

    private static async Task Certify(DirectoryInfo directory, TestAuthority authority)
    {
        using var key = KeyRequest.NewKey();
        using var certificate = authority.Issue(PeerIdentity.Headquarters, key);
        await File.WriteAllTextAsync(Path.Combine(directory.FullName, "ca.pem"), authority.Certificate.ExportCertificatePem()).ConfigureAwait(false);
        await File.WriteAllTextAsync(Path.Combine(directory.FullName, "server.pem"), certificate.ExportCertificatePem()).ConfigureAwait(false);
        await File.WriteAllTextAsync(Path.Combine(directory.FullName, "server.key"), key.ExportPkcs8PrivateKeyPem()).ConfigureAwait(false);
    }

    private static async Task<NginxServer> Nginx(DirectoryInfo directory, string name, string workers)
    {
        var (plain, tls) = (FreePorts.One(), FreePorts.One());
        var prefix = directory.CreateSubdirectory(name).FullName;
        var file = Path.Combine(prefix, "nginx.conf");
        await File.WriteAllTextAsync(file, $$"""
            user root;
            worker_processes {{workers}};
            daemon off;
            pid {{prefix}}/pid;
            error_log stderr notice;
            events { worker_connections 1024; }
            http {
              access_log off;
              sendfile on;
              tcp_nopush on;
              keepalive_requests 1000000;
              client_body_temp_path {{prefix}}/body; proxy_temp_path {{prefix}}/proxy; fastcgi_temp_path {{prefix}}/fastcgi; uwsgi_temp_path {{prefix}}/uwsgi; scgi_temp_path {{prefix}}/scgi;
              ssl_certificate {{directory.FullName}}/server.pem;
              ssl_certificate_key {{directory.FullName}}/server.key;
              ssl_client_certificate {{directory.FullName}}/ca.pem;
              ssl_protocols TLSv1.2 TLSv1.3;
              server { listen 127.0.0.1:{{plain}}; root {{directory.FullName}}/files; }
              server { listen 127.0.0.1:{{tls}} ssl; ssl_verify_client on; root {{directory.FullName}}/files; }
            }
            """).ConfigureAwait(false);
        var process = await LabProcess.Start(name, ["nginx", "-p", prefix, "-c", file], "start worker process ", TimeSpan.FromSeconds(20)).ConfigureAwait(false);
        return new NginxServer(process, plain, tls);
    }

    /// <summary>Of a process and its children.</summary>
    private static double CpuSeconds(int process) =>
        Children(process).Append(process).Sum(p => { using var of = System.Diagnostics.Process.GetProcessById(p); return of.TotalProcessorTime.TotalSeconds; });

    private static IEnumerable<int> Children(int process) =>
        File.ReadAllText($"/proc/{process}/task/{process}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(c => int.Parse(c, CultureInfo.InvariantCulture));

    private static double Median(IEnumerable<double> figures) => figures.Order().ElementAt(Rounds / 2);

    private sealed record ServedFile(string Name, BlobHash Hash);

    /// <param name="Path">Of a file's address.</param>
    private sealed record Server(string Name, LabProcess Process, Func<ServedFile, string> Path, int Plain, int Tls);

    private sealed record Rate(double MegabytesPerSecond, double CpuPerGibibyte);

    /// <summary>Its workers end with it: told to, or because their master is gone.</summary>
    private sealed record NginxServer(LabProcess Process, int Plain, int Tls) : IDisposable
    {
        public void Dispose()
        {
            // A master that is killed leaves its workers behind.
            foreach (var worker in Children(Process.Id).ToList())
            {
                using var of = System.Diagnostics.Process.GetProcessById(worker);
                of.Kill();
            }

            Process.Dispose();
        }
    }
}
