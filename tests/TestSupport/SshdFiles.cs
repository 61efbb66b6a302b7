using System.Diagnostics;
using System.Net;

namespace Fleet.TestSupport;

/// <summary>The keys and the configuration of an OpenSSH server of a test's own. It lets one key in, as whoever runs the server, or as anybody where that is root.</summary>
public sealed class SshdFiles
{
    private const string Program = "/usr/sbin/sshd";

    private SshdFiles(string directory, IPEndPoint listen) => (Directory, Listen) = (directory, listen);

    public string Directory { get; }

    public IPEndPoint Listen { get; }

    /// <summary>Of whom the server lets in.</summary>
    public string PrivateKeyFile => Path.Combine(Directory, "client");

    /// <summary>Holds commands that a log-in finds before the system's.</summary>
    public string Commands => Path.Combine(Directory, "bin");

    /// <summary>Runs the server in the foreground; it says <c>Server listening</c>. As root it needs <c>/run/sshd</c>.</summary>
    public IReadOnlyList<string> Command => [Program, "-D", "-e", "-f", Path.Combine(Directory, "config")];

    /// <summary>Says what this machine lacks; null: nothing.</summary>
    public static string? Unable() => OperatingSystem.IsLinux() && File.Exists(Program) ? null : "needs an SSH server (Debian and Ubuntu: apt-get install openssh-server)";

    /// <param name="directory">Made if missing; keys that are in it are used again.</param>
    public static async Task<SshdFiles> Make(string directory, IPEndPoint listen)
    {
        var files = new SshdFiles(directory, listen);
        System.IO.Directory.CreateDirectory(files.Commands);
        foreach (var key in new[] { "host", "client" }.Select(k => Path.Combine(directory, k)).Where(k => !File.Exists(k)))
            await MakeKey(key).ConfigureAwait(false);
        File.Copy(Path.Combine(directory, "client.pub"), Path.Combine(directory, "authorized"), overwrite: true);
        await File.WriteAllTextAsync(Path.Combine(directory, "config"), $"""
            Port {listen.Port}
            ListenAddress {listen.Address}
            HostKey {directory}/host
            PidFile {directory}/pid
            AuthorizedKeysFile {directory}/authorized
            StrictModes no
            UsePAM no
            PermitRootLogin yes
            PasswordAuthentication yes
            SetEnv PATH={files.Commands}:/usr/local/bin:/usr/bin:/bin
            """).ConfigureAwait(false);
        return files;
    }

    private static async Task MakeKey(string file)
    {
        using var process = Process.Start("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
        await process.WaitForExitAsync().ConfigureAwait(false);
        if (process.ExitCode != 0)
            throw new IOException($"ssh-keygen could not make {file}");
    }
}
