using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Fleet.TestSupport;

namespace Fleet.Office.Tests.Installs;

/// <summary>
/// A real OpenSSH server on loopback, with its own keys and port in a directory of the test. The commands that a log-in finds first are the test's, so
/// that a device can be of another architecture, full, or without sudo.
/// </summary>
internal sealed class SshServer : IAsyncDisposable
{
    private const string Program = "/usr/sbin/sshd";

    private readonly Process _process;

    private SshServer(Process process, int port, string directory, string privateKey) => (_process, Port, Directory, PrivateKey) = (process, port, directory, privateKey);

    public static bool IsThere => File.Exists(Program) && OperatingSystem.IsLinux();

    public int Port { get; }

    public string Directory { get; }

    /// <summary>Of whom the server lets in.</summary>
    public string PrivateKey { get; }

    /// <param name="directory">Made if missing; what is in it of an earlier server is used again.</param>
    public static async Task<SshServer> Start(string directory)
    {
        System.IO.Directory.CreateDirectory(Path.Combine(directory, "bin"));
        // Where a server that starts as root parts with its rights.
        if (Environment.UserName == "root")
            System.IO.Directory.CreateDirectory("/run/sshd");
        foreach (var key in new[] { "host", "client" }.Where(k => !File.Exists(Path.Combine(directory, k))))
            await Run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(directory, key));
        File.Copy(Path.Combine(directory, "client.pub"), Path.Combine(directory, "authorized"), overwrite: true);
        var port = FreePort();
        await File.WriteAllTextAsync(Path.Combine(directory, "config"), $"""
            Port {port}
            ListenAddress 127.0.0.1
            HostKey {directory}/host
            PidFile {directory}/pid
            AuthorizedKeysFile {directory}/authorized
            StrictModes no
            UsePAM no
            PermitRootLogin yes
            PasswordAuthentication yes
            SetEnv PATH={directory}/bin:/usr/local/bin:/usr/bin:/bin
            """);
        var process = Process.Start(new ProcessStartInfo(Program, ["-D", "-e", "-f", $"{directory}/config"]) { RedirectStandardError = true })!;
        _ = process.StandardError.ReadToEndAsync();
        await Until.True(() => Answers(port), "the SSH server listens");
        return new SshServer(process, port, directory, await File.ReadAllTextAsync(Path.Combine(directory, "client")));
    }

    /// <summary>What a command answers on the device, instead of its own.</summary>
    public void Answer(string command, string script)
    {
        var path = Path.Combine(Directory, "bin", command);
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite);
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static bool Answers(int port)
    {
        try
        {
            using var client = new TcpClient("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task Run(string program, params string[] args)
    {
        using var process = Process.Start(program, args);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }
}
