using System.Globalization;
using Fleet.Messages.Link;

namespace Fleet.Office.Installs;

/// <summary>
/// Sets up the agent on one device over SSH: looks whether it can run there, copies it, lets it join with the token, and starts it as a service. What fails is
/// an outcome of its own, and nothing but a copy under <c>/tmp</c> was changed before the device was found fit.
/// </summary>
public sealed class AgentInstaller(InstallOptions options)
{
    private const long KibBytes = 1024;

    /// <param name="step">Told each step as it begins.</param>
    /// <param name="shown">Told the device's host key.</param>
    /// <exception cref="InstallException">It did not come to a running agent.</exception>
    public async Task Install(InstallAgent order, InstallSecret secret, Action<InstallStep> step, Action<string> shown, CancellationToken stop)
    {
        step(InstallStep.Connecting);
        using var shell = await DeviceShell.Open(order, secret, options, shown, stop);
        step(InstallStep.LookingAround);
        var agent = await Fitting(shell, stop);
        var root = await Root(shell, secret, stop);
        step(InstallStep.Copying);
        var copy = await Copied(shell, agent, stop);
        try
        {
            Check(await root($"mkdir -p '{DirectoryOf(options.Program)}' && install -m 755 {Quoted(copy)} '{options.Program}'", "", stop), "the agent could not be put in its place");
            step(InstallStep.Enrolling);
            var joined = await root(Enrolment(order), secret.JoinToken + "\n", stop);
            if (joined.Code != 0)
                throw new InstallException(InstallOutcome.EnrolmentFailed, $"the agent is on the device and could not join: {joined.Why}");
            step(InstallStep.Starting);
            Check(await root(Service, "", stop), "the agent joined and could not be started");
        }
        finally
        {
            await shell.Run($"rm -f {Quoted(copy)}", "", CancellationToken.None);
        }
    }

    // By a name that no other user of the device can have taken: what stands there is run as root.
    private static async Task<string> Copied(DeviceShell shell, FileInfo agent, CancellationToken stop)
    {
        await using var file = agent.OpenRead();
        var copied = await shell.Run($"copy=$(mktemp /tmp/fleet-agent.XXXXXX) && {{ cat > \"$copy\" && test $(wc -c < \"$copy\") -eq {agent.Length} && echo \"$copy\" || {{ rm -f \"$copy\"; exit 1; }}; }}", file, stop);
        Check(copied, "the agent could not be copied");
        return copied.Out.Trim();
    }

    // The token comes over standard input; where the agent reads it from, root alone can. Not in the data directory, which the agent wants empty.
    private string Enrolment(InstallAgent order) =>
        $"umask 077 && token=$(mktemp /tmp/fleet-token.XXXXXX) && cat > \"$token\" && '{options.Program}' enroll --data '{options.Data}' --token \"@$token\" "
        + string.Join(' ', order.Gateways.Select(g => $"--gateway '{g}'").Concat(order.Servers.Select(s => $"--server '{s}'")))
        + "; code=$?; rm -f \"$token\"; exit $code";

    // Where systemd runs it keeps the agent; elsewhere the agent runs until the device restarts, and that is said on the device's own log.
    private string Service => $"""
        if systemctl show --property=Version > /dev/null 2>&1; then
          printf '%s\n' '[Unit]' 'Description=Fleet agent' 'After=network-online.target' 'Wants=network-online.target' '[Service]' 'ExecStart={options.Program} run --data {options.Data}' 'Restart=always' 'RestartSec=5' '[Install]' 'WantedBy=multi-user.target' > /etc/systemd/system/fleet-agent.service &&
          systemctl daemon-reload && systemctl enable --now fleet-agent.service
        else
          nohup setsid '{options.Program}' run --data '{options.Data}' > /dev/null 2>&1 < /dev/null &
        fi
        """;

    private async Task<FileInfo> Fitting(DeviceShell shell, CancellationToken stop)
    {
        var seen = await shell.Run($"uname -s && uname -m && {Free("/tmp")} && {Free(DirectoryOf(options.Program))}", "", stop);
        if (seen.Code != 0 || seen.Out.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) is not [var system, var machine, .. { Length: 2 } free])
            throw new InstallException(InstallOutcome.WrongArchitecture, $"this is no system that an agent runs on: {seen.Why}");
        var architecture = machine switch { "x86_64" or "amd64" => "x64", "aarch64" or "arm64" => "arm64", _ => null };
        if (system != "Linux" || architecture is null)
            throw new InstallException(InstallOutcome.WrongArchitecture, $"there is no agent for {Shown(system)} on {Shown(machine)}: Linux on x86_64 or aarch64 is needed");
        var agent = new FileInfo(Path.Combine(options.Agents, $"agent-linux-{architecture}"));
        if (!agent.Exists)
            throw new InstallException(InstallOutcome.WrongArchitecture, $"this node has no agent for linux-{architecture}: put it at {agent.FullName}");
        // Twice, as both may be of one file system: the copy under /tmp, and the one in its place.
        var least = free.Select(f => long.TryParse(f, NumberStyles.None, CultureInfo.InvariantCulture, out var kib) ? kib : long.MaxValue / KibBytes).Min();
        if (least * KibBytes < 2 * agent.Length)
            throw new InstallException(InstallOutcome.DiskFull, $"{least} KiB are free on the device, and {2 * agent.Length / KibBytes} are needed");
        return agent;
    }

    // KiB free where the directory is, or will be.
    private static string Free(string directory) => $"(d='{directory}'; while [ ! -d \"$d\" ]; do d=$(dirname \"$d\"); done; df -Pk \"$d\" | awk 'NR==2{{print $4}}')";

    // How commands run as root there, with something on their standard input.
    private static async Task<Func<string, string, CancellationToken, Task<ShellAnswer>>> Root(DeviceShell shell, InstallSecret secret, CancellationToken stop)
    {
        if ((await shell.Run("id -u", "", stop)).Out.Trim() == "0")
            return (command, input, token) => shell.Run($"sh -c {Quoted(command)}", input, token);
        if ((await shell.Run("sudo -n true", "", stop)).Code == 0)
            return (command, input, token) => shell.Run($"sudo -n sh -c {Quoted(command)}", input, token);
        var asked = await shell.Run("sudo -k -S -p '' true", secret.Password + "\n", stop);
        if (secret.Password.Length == 0 || asked.Code != 0)
            throw new InstallException(InstallOutcome.NoSudo, $"{secret.User} is not root and may not use sudo{(secret.Password.Length == 0 ? " without a password, and none was given" : "")}: {asked.Why}");
        // sudo reads the password's line, the command the rest.
        return (command, input, token) => shell.Run($"sudo -k -S -p '' sh -c {Quoted(command)}", $"{secret.Password}\n{input}", token);
    }

    private static void Check(ShellAnswer answer, string what)
    {
        if (answer.Code == 0)
            return;
        var full = answer.Error.Contains("No space left", StringComparison.OrdinalIgnoreCase);
        throw new InstallException(full ? InstallOutcome.DiskFull : InstallOutcome.Failed, $"{what}: {answer.Why}");
    }

    private static string Quoted(string command) => $"'{command.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static string DirectoryOf(string path) => path[..path.LastIndexOf('/')];

    private static string Shown(string text) => text.Length <= 40 ? text : text[..40] + "…";
}
