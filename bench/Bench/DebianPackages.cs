using Fleet.NatLab.Kernel;
using Fleet.NatLab.Topologies;

namespace Fleet.Bench;

/// <summary>Programs of others that a benchmark compares with, from Debian's packages.</summary>
internal static class DebianPackages
{
    /// <summary>Installs what is missing, where this is Debian or a kin of it and the user may; else says what is missing.</summary>
    /// <exception cref="LabException">Something is missing and can't be installed.</exception>
    public static void Ensure(Action<string> step, params (string Command, string Package)[] wanted)
    {
        var missing = Missing(wanted);
        if (missing.Count == 0)
            return;
        var what = string.Join(' ', missing);
        if (Environment.IsPrivilegedProcess && OnPath("apt-get"))
        {
            step($"installing {what}");
            Shell.Try("apt-get", ["-qq", "update"], patience: TimeSpan.FromMinutes(5));
            Shell.Try("env", ["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y", "install", "--no-install-recommends", .. missing], patience: TimeSpan.FromMinutes(10));
        }

        if (Missing(wanted).Count > 0)
            throw new LabException($"missing on this machine: {what}; install them (as root: apt-get install {what})");
    }

    private static List<string> Missing(IEnumerable<(string Command, string Package)> wanted) => [.. wanted.Where(w => !OnPath(w.Command)).Select(w => w.Package)];

    private static bool OnPath(string command) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Any(d => File.Exists(Path.Combine(d, command)));
}
