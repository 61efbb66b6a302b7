using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Fleet.Messages.Link;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace Fleet.Office.Installs;

/// <summary>What a command on a device came to.</summary>
public readonly record struct ShellAnswer(int Code, string Out, string Error)
{
    /// <summary>The last line that says why; never more than a few hundred characters of what the device sent.</summary>
    public string Why => (Error.Length > 0 ? Error : Out).Trim().Split('\n')[^1] is { Length: > 300 } line ? line[..300] : (Error.Length > 0 ? Error : Out).Trim().Split('\n')[^1];
}

/// <summary>An SSH session on one device. Secrets go to it over standard input alone: command lines show in the device's own logs.</summary>
internal sealed class DeviceShell : IDisposable
{
    private readonly SshClient _client;
    private readonly TimeSpan _stepWithin;

    private DeviceShell(SshClient client, TimeSpan stepWithin) => (_client, _stepWithin) = (client, stepWithin);

    /// <param name="shown">Told the host key as soon as the device has shown it.</param>
    /// <exception cref="InstallException">Unreachable, another host key than the one known, or the log-in was refused.</exception>
    public static async Task<DeviceShell> Open(InstallAgent order, InstallSecret secret, InstallOptions options, Action<string> shown, CancellationToken stop)
    {
        var key = "";
        var client = new SshClient(new ConnectionInfo(order.Address, order.Port, secret.User, [.. Methods(secret)]) { Timeout = options.ConnectWithin });
        client.HostKeyReceived += (_, e) =>
        {
            key = $"{e.HostKeyName} SHA256:{e.FingerPrintSHA256}";
            shown(key);
            e.CanTrust = order.HostKey.Length == 0 || order.HostKey == key;
        };
        try
        {
            await client.ConnectAsync(stop);
            return new DeviceShell(client, options.StepWithin);
        }
        catch (Exception fault)
        {
            client.Dispose();
            if (order.HostKey.Length > 0 && key.Length > 0 && key != order.HostKey)
                throw new InstallException(InstallOutcome.HostKeyChanged,
                    $"{order.Address} shows host key {key}, and showed {order.HostKey} before: it is another machine, was set up anew, or somebody stands between. Accept the new key only if you know why");
            throw fault switch
            {
                SshAuthenticationException => new InstallException(InstallOutcome.AuthenticationRefused, $"{order.Address} refused the log-in of {secret.User}: {fault.Message}"),
                SocketException or SshConnectionException or SshOperationTimeoutException or ProxyException => new InstallException(InstallOutcome.Unreachable, $"{order.Address} port {order.Port} does not answer as an SSH server: {fault.Message}"),
                _ => fault,
            };
        }
    }

    /// <param name="input">Goes to the command's standard input; not read to the end by all of them.</param>
    public async Task<ShellAnswer> Run(string command, Stream? input, CancellationToken stop)
    {
        using var within = CancellationTokenSource.CreateLinkedTokenSource(stop);
        within.CancelAfter(_stepWithin);
        using var running = _client.CreateCommand(command);
        try
        {
            var ended = running.ExecuteAsync(within.Token);
            if (input is not null)
                await Feed(running, input, within.Token);
            await ended;
            return new ShellAnswer(running.ExitStatus ?? -1, running.Result, running.Error);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new InstallException(InstallOutcome.Failed, $"a command on the device did not end within {_stepWithin.TotalSeconds:0} s");
        }
        catch (SshConnectionException fault)
        {
            throw new InstallException(InstallOutcome.Unreachable, $"the connection to the device broke: {fault.Message}");
        }
    }

    public Task<ShellAnswer> Run(string command, string input, CancellationToken stop) => Run(command, new MemoryStream(Encoding.UTF8.GetBytes(input)), stop);

    public void Dispose() => _client.Dispose();

    private static async Task Feed(SshCommand running, Stream input, CancellationToken stop)
    {
        try
        {
            await using var to = running.CreateInputStream();
            await input.CopyToAsync(to, stop);
        }
        catch (Exception fault) when (fault is IOException or ObjectDisposedException or SshException)
        {
            // The command ended before it had read all; its exit code says why.
        }
    }

    private static IEnumerable<AuthenticationMethod> Methods(InstallSecret secret)
    {
        if (secret.PrivateKey.Length > 0)
            yield return new PrivateKeyAuthenticationMethod(secret.User, KeyOf(secret));
        if (secret.Password.Length == 0)
            yield break;
        yield return new PasswordAuthenticationMethod(secret.User, secret.Password);
        var asked = new KeyboardInteractiveAuthenticationMethod(secret.User);
        asked.AuthenticationPrompt += (_, e) =>
        {
            foreach (var prompt in e.Prompts)
                prompt.Response = secret.Password;
        };
        yield return asked;
    }

    private static PrivateKeyFile KeyOf(InstallSecret secret)
    {
        try
        {
            return new PrivateKeyFile(new MemoryStream(Encoding.UTF8.GetBytes(secret.PrivateKey.TrimEnd() + "\n")), secret.Passphrase.Length > 0 ? secret.Passphrase : null);
        }
        catch (Exception fault) when (fault is SshException or CryptographicException or FormatException or InvalidOperationException or ArgumentException or IOException)
        {
            // What the library says of a key may hold parts of it.
            throw new InstallException(InstallOutcome.AuthenticationRefused, "the private key can't be read, or its passphrase is wrong");
        }
    }
}

/// <summary>The agent can't be set up; the message says why and what to do, and never holds a secret.</summary>
public sealed class InstallException(InstallOutcome outcome, string message) : Exception(message)
{
    public InstallOutcome Outcome { get; } = outcome;
}
