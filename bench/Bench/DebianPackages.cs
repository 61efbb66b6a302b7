using Fleet.NatLab.Topologies;

namespace Fleet.Bench;

/// <summary>Programs of others that a benchmark compares with, from Debian's packages of the same names. The build installs them (task Peers of build.cake).</summary>
internal static class DebianPackages
{
    /// <summary>Which of them are missing; null: none.</summary>
    public static string? Missing(params string[] programs) => string.Join(' ', programs.Where(p => !OnPath(p))) is { Length: > 0 } missing ? missing : null;

    /// <exception cref="LabException">Some are missing; the message says what to install.</exception>
    public static void Require(params string[] programs)
    {
        if (Missing(programs) is { } missing)
            throw new LabException($"missing on this machine: {missing}; install them (as root: apt-get install {missing})");
    }

    private static bool OnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Any(d => File.Exists(Path.Combine(d, program)));
}
