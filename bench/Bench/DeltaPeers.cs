using System.Globalization;
using System.Text.RegularExpressions;
using Fleet.NatLab.Kernel;
using Fleet.NatLab.Topologies;

namespace Fleet.Bench;

/// <summary>What others send for the same change, both directions counted.</summary>
internal static partial class DeltaPeers
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>rsync between two folders, by checksum as over a network, compressed.</summary>
    public static long Rsync(string older, string newer, string scratch)
    {
        var target = Path.Combine(scratch, "rsync");
        Shell.Run("cp", "-r", older, target);
        var stats = Run("rsync", "-r", "--checksum", "--no-whole-file", "--compress", "--delete", "--stats", newer + "/", target + "/");
        Shell.Run("diff", "-r", newer, target);
        Directory.Delete(target, recursive: true);
        return Sent().Matches(stats).Sum(m => long.Parse(m.Groups[1].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture));
    }

    /// <summary>zsync, which knows one file, over tar archives: the better of its two ways, compressed and plain.</summary>
    public static async Task<long> Zsync(string older, string newer, string scratch, CancellationToken stop)
    {
        var (seed, served) = (Path.Combine(scratch, "older.tar"), Path.Combine(scratch, "served"));
        Tar(older, seed);
        var least = long.MaxValue;
        foreach (var compress in new[] { true, false })
        {
            Directory.CreateDirectory(served);
            var archive = Path.Combine(served, "newer.tar");
            Tar(newer, archive);
            Run("sh", "-c", $"cd '{served}' && zsyncmake {(compress ? "-z -u newer.tar.gz" : "-u newer.tar")} newer.tar");
            var list = Directory.EnumerateFiles(served, "*.zsync").Single();
            await using (var server = await RangeServer.Start(served).ConfigureAwait(false))
            {
                var built = Path.Combine(scratch, "built.tar");
                await Task.Run(() => Run("env", "-u", "http_proxy", "zsync", "-q", "-i", seed, "-o", built, $"{server.Address}/{Path.GetFileName(list)}"), stop).ConfigureAwait(false);
                Shell.Run("cmp", archive, built);
                least = Math.Min(least, server.Sent);
                File.Delete(built);
            }

            Directory.Delete(served, recursive: true);
        }

        File.Delete(seed);
        return least;
    }

    // The same files make the same archive.
    private static void Tar(string folder, string archive) => Run("tar", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "-C", folder, "-cf", archive, ".");

    private static string Run(string program, params string[] arguments)
    {
        var (code, output, errors) = Shell.Try(program, arguments, patience: Patience);
        return code == 0 ? output : throw new LabException($"{program} failed ({code}): {errors.Trim()}");
    }

    [GeneratedRegex(@"^Total bytes (?:sent|received): ([\d,]+)", RegexOptions.Multiline)]
    private static partial Regex Sent();
}
