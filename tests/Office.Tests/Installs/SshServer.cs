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
    private readonly Process _process;
    private readonly SshdFiles _files;

    private SshServer(Process process, SshdFiles files) => (_process, _files, PrivateKey) = (process, files, File.ReadAllText(files.PrivateKeyFile));

    public int Port => _files.Listen.Port;

    public string Directory => _files.Directory;

    /// <summary>Of whom the server lets in.</summary>
    public string PrivateKey { get; }

    /// <param name="directory">Made if missing; what is in it of an earlier server is used again.</param>
    public static async Task<SshServer> Start(string directory)
    {
        Skip.If(SshdFiles.Unable() is not null, SshdFiles.Unable());
        // Where a server that starts as root parts with its rights.
        if (Environment.UserName == "root")
            System.IO.Directory.CreateDirectory("/run/sshd");
        var files = await SshdFiles.Make(directory, new IPEndPoint(IPAddress.Loopback, FreePorts.One()));
        var process = Process.Start(new ProcessStartInfo(files.Command[0], files.Command.Skip(1)) { RedirectStandardError = true })!;
        _ = process.StandardError.ReadToEndAsync();
        await Until.True(() => Answers(files.Listen), "the SSH server listens");
        return new SshServer(process, files);
    }

    /// <summary>What a command answers on the device, instead of its own.</summary>
    public void Answer(string command, string script)
    {
        var path = Path.Combine(_files.Commands, command);
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

    private static bool Answers(IPEndPoint at)
    {
        try
        {
            using var client = new TcpClient();
            client.Connect(at);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
