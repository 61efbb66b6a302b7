using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Fleet.Gateway.Content;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Journeys;
using Fleet.NatLab.Kernel;
using Fleet.NatLab.Topologies;
using Fleet.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fleet.Bench;

/// <summary>
/// How many copies of one update an office's narrow line carries when twenty devices ask for it at once: as the journeys of that name have it, and with
/// nginx, squid and apt-cacher-ng as the office's cache, with their own defaults but for the size of what they keep. Copies are what TCP brought in over
/// the line, for all alike; the others' clients are curl, one a device. Then a byte is flipped in what the cache keeps, and one more asks.
/// </summary>
internal static class OneCopies
{
    private const int OriginPort = 8080;
    private const int CachePort = 3142;
    private const string Address = "/pool/main/t/till/till_1.0_all.deb";

    /// <summary>Twenty copies take over three minutes.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(12);

    public static Benchmark Benchmark { get; } = new("one-copy", "copies of an update that cross an office's line for twenty devices, beside nginx, squid and apt-cacher-ng", Run);

    private static async Task<IReadOnlyDictionary<string, double>> Run(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        DebianPackages.Require("nginx", "squid", "apt-cacher-ng", "curl");
        var figures = new Dictionary<string, double>();
        await Others(figures, step, stop).ConfigureAwait(false);
        await Own(figures, step).WaitAsync(stop).ConfigureAwait(false);
        return figures;
    }

    private static async Task Own(Dictionary<string, double> figures, Action<string> step)
    {
        await using var fleet = await ProcessFleet.InKernelLab(Topology.Load("distribution"), step).ConfigureAwait(false);
        var nodes = fleet.Topology.Offices[0].Nodes;
        await fleet.StartPoints(step, nodes[0]).ConfigureAwait(false);
        figures["origin_copies"] = Math.Round(await OneCopy.Once(fleet, step, [nodes[0]], "1.0").ConfigureAwait(false), 3);
        figures["origin_copies_cut"] = Math.Round(await OneCopyCut.Cut(fleet, step, nodes[0], "2.0").ConfigureAwait(false), 3);
        await fleet.BecomesPoint(nodes[1]).ConfigureAwait(false);
        figures["origin_copies_two_dps"] = Math.Round(await OneCopy.Once(fleet, step, nodes, "3.0").ConfigureAwait(false), 3);
    }

    private static async Task Others(Dictionary<string, double> figures, Action<string> step, CancellationToken stop)
    {
        var topology = Topology.Load("distribution");
        using var lab = KernelLab.Build(topology);
        lab.LimitUplink(topology.Offices[0].Id, Distribution.LineBytesPerSecond);
        await Walls.Assert(lab).ConfigureAwait(false);
        foreach (var cache in new[] { new Cache("acng", AptCacherNg), new Cache("squid", Squid), new Cache("nginx", Nginx) })
        {
            var directory = Leftovers.MakeScratch();
            // Some drop to users of their own.
            Shell.Run("chmod", "755", directory.FullName);
            try
            {
                await Try(cache, lab, directory.FullName, figures, step, stop).ConfigureAwait(false);
            }
            finally
            {
                directory.Delete(recursive: true);
            }
        }
    }

    private static async Task Try(Cache cache, KernelLab lab, string directory, Dictionary<string, double> figures, Action<string> step, CancellationToken stop)
    {
        // New content for each: nothing that another has fetched helps.
        var origin = new Origin(RandomNumberGenerator.GetBytes(Distribution.UpdateBytes), lab.Topology.Headquarters);
        await using var listener = await ContentListener.Start(
            new ContentListenerSetup(new IPEndPoint(lab.Topology.Headquarters, OriginPort), "origin", "origin", Tls: null, origin.Map, NullLoggerFactory.Instance, lab.Headquarters), stop).ConfigureAwait(false);
        var node = lab.Topology.Offices[0].Nodes[0];
        var machine = lab.MachineOf(node);
        var command = cache.Configure(directory, lab.Topology.Headquarters);
        // Apt-cacher-ng asks for names even where it has an address, and nobody answers in the lab: nobody is to be asked.
        var names = Path.Combine(directory, "names");
        await File.WriteAllTextAsync(names, "nameserver 127.0.0.1\n", stop).ConfigureAwait(false);
        using var process = await LabProcess.Start(cache.Name, ["ip", "netns", "exec", machine.Name, "unshare", "--mount", "sh", "-c",
            "mount --bind \"$1\" /etc/resolv.conf && shift && echo starting && exec \"$@\"", "sh", names, .. command], "starting", TimeSpan.FromSeconds(10)).ConfigureAwait(false);
        try
        {
            await Until.True(() => Answers(machine, node), $"{cache.Name} listens", TimeSpan.FromSeconds(30)).ConfigureAwait(false);
        }
        catch (TimeoutException late)
        {
            throw new LabException($"{late.Message}\n{process.Tail()}");
        }

        var office = lab.Topology.Offices[0].Id;
        var (before, began) = (lab.CameInto(office), System.Diagnostics.Stopwatch.StartNew());
        var problems = await Task.WhenAll(lab.Topology.Devices.Select(d => Ask(lab.MachineOf(d), node, origin))).WaitAsync(stop).ConfigureAwait(false);
        if (problems.OfType<string>().ToList() is { Count: > 0 } failed)
            throw new LabException($"{cache.Name}: {failed.Count} devices do not have it: {failed[0]}\n{process.Tail()}");
        var copies = (lab.CameInto(office) - before) / (double)Distribution.UpdateBytes;
        figures[$"{cache.Name}_copies"] = Math.Round(copies, 3);
        step(string.Create(CultureInfo.InvariantCulture, $"{cache.Name}: {problems.Length} devices have it after {began.Elapsed.TotalSeconds:0} s: {copies:0.000} copies crossed the line"));

        if (Flip(directory) is not { } file)
        {
            step($"{cache.Name}: keeps no file of it");
            return;
        }

        before = lab.CameInto(office);
        var sound = await Ask(lab.MachineOf(lab.Topology.Devices.First()), node, origin).ConfigureAwait(false) is null;
        figures[$"{cache.Name}_serves_flipped"] = sound ? 0 : 1;
        step($"{cache.Name}: a byte of {Path.GetFileName(file)} was flipped, and {(sound ? "was not served" : "was served")}; {lab.CameInto(office) - before} bytes more crossed the line");
    }

    /// <summary>Asks by the cache as a proxy; null: what came is right.</summary>
    private static async Task<string?> Ask(NetworkNamespace device, TopologyNode node, Origin origin)
    {
        var (_, output, errors) = await LabProcess.Run("curl", ["ip", "netns", "exec", device.Name, "sh", "-c",
            $"curl -sS --fail --max-time {Patience.TotalSeconds - 10:0} -x http://{node.Address}:{CachePort} http://{origin.Host}:{OriginPort}{Address} | sha256sum"], Patience).ConfigureAwait(false);
        return output.StartsWith(origin.Hash, StringComparison.Ordinal) ? null : errors.Length > 0 ? errors : "other bytes came";
    }

    private static async Task<bool> Answers(NetworkNamespace machine, TopologyNode node)
    {
        try
        {
            await using var stream = await machine.Connect($"{node.Address}:{CachePort}", CancellationToken.None).ConfigureAwait(false);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static string? Flip(string directory)
    {
        // With what the cache writes about it a file is a little larger than its content.
        if (Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).FirstOrDefault(f => new FileInfo(f).Length >= Distribution.UpdateBytes) is not { } path)
            return null;
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = file.Length / 2;
        var old = (byte)file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(old ^ 1));
        return path;
    }

    private static string[] Nginx(string directory, IPAddress origin)
    {
        var file = Path.Combine(directory, "nginx.conf");
        File.WriteAllText(file, $$"""
            user root;
            daemon off;
            master_process off;
            pid {{directory}}/pid;
            error_log stderr;
            events { }
            http {
              access_log off;
              client_body_temp_path {{directory}}/body; proxy_temp_path {{directory}}/proxy; fastcgi_temp_path {{directory}}/fastcgi; uwsgi_temp_path {{directory}}/uwsgi; scgi_temp_path {{directory}}/scgi;
              proxy_cache_path {{directory}}/cache keys_zone=office:1m;
              server { listen {{CachePort}}; location / { proxy_pass http://{{origin}}:{{OriginPort}}; proxy_cache office; } }
            }
            """);
        return ["nginx", "-p", directory, "-c", file];
    }

    private static string[] Squid(string directory, IPAddress origin)
    {
        var file = Path.Combine(directory, "squid.conf");
        File.WriteAllText(file, $"""
            http_port {CachePort}
            http_access allow all
            maximum_object_size 1 GB
            cache_dir ufs {directory}/cache 1000 16 256
            cache_effective_user proxy
            pid_filename none
            access_log none
            cache_log {directory}/cache.log
            coredump_dir {directory}
            visible_hostname office
            pinger_enable off

            """);
        Shell.Run("chown", "proxy", directory);
        Shell.Run("squid", "-N", "-z", "-f", file);
        return ["squid", "-N", "-f", file];
    }

    private static string[] AptCacherNg(string directory, IPAddress origin)
    {
        File.WriteAllText(Path.Combine(directory, "acng.conf"), $"""
            CacheDir: {directory}/cache
            LogDir: {directory}/log
            SupportDir: /usr/lib/apt-cacher-ng
            SocketPath: {directory}/socket
            Port: {CachePort}
            AllowUserPorts: 0
            ForeGround: 1

            """);
        Directory.CreateDirectory(Path.Combine(directory, "cache"));
        Directory.CreateDirectory(Path.Combine(directory, "log"));
        return ["apt-cacher-ng", "-c", directory];
    }

    /// <param name="Configure">Writes its configuration into a directory, for an origin; the command that runs it.</param>
    private sealed record Cache(string Name, Func<string, IPAddress, string[]> Configure);

    /// <summary>Serves one file, by ranges too.</summary>
    private sealed class Origin(byte[] content, IPAddress host)
    {
        private const int Piece = 64 * 1024;

        public IPAddress Host => host;

        public string Hash { get; } = Convert.ToHexStringLower(SHA256.HashData(content));

        public void Map(WebApplication web) => web.MapMethods(Address, [HttpMethods.Get, HttpMethods.Head], Serve);

        private async Task Serve(HttpContext http)
        {
            var (response, range) = (http.Response, http.Request.GetTypedHeaders().Range?.Ranges.SingleOrDefault());
            var (from, end) = ((int)(range?.From ?? 0), (int)Math.Min(content.Length, (range?.To ?? int.MaxValue - 1) + 1));
            response.Headers.ETag = $"\"{Hash}\"";
            response.Headers.LastModified = "Thu, 01 Oct 2026 00:00:00 GMT";
            response.Headers.CacheControl = "public, max-age=86400";
            response.Headers.AcceptRanges = "bytes";
            response.ContentType = "application/vnd.debian.binary-package";
            response.ContentLength = end - from;
            if (range is not null)
            {
                response.StatusCode = StatusCodes.Status206PartialContent;
                response.Headers.ContentRange = $"bytes {from}-{end - 1}/{content.Length}";
            }

            if (HttpMethods.IsHead(http.Request.Method))
                return;
            for (; from < end; from += Piece)
            {
                var piece = content.AsMemory(from, Math.Min(Piece, end - from));
                await response.Body.WriteAsync(piece, http.RequestAborted);
            }
        }
    }
}
