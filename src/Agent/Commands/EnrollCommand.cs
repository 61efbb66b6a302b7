using System.CommandLine;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Device.Enrolment;
using Fleet.Device.Identity;
using Fleet.Device.Inventory;
using Fleet.Device.Settings;
using Fleet.Device.Storage;
using Fleet.Device.Sync;

namespace Fleet.Agent.Commands;

/// <summary><c>agent enroll</c>: joins this machine with a token.</summary>
internal static class EnrollCommand
{
    public static Command Make()
    {
        var data = AgentOptions.Data();
        var config = AgentOptions.Config();
        var token = new Option<string>("--token") { Description = "The join token, from 'fleet token create', or @FILE that holds it.", HelpName = "TOKEN", Required = true };
        var gateways = Addresses("--gateway", "A connection gateway of the office; may be given several times, most preferred first.");
        var servers = Addresses("--server", "Headquarters; may be given several times.");
        var gatewayOnly = new Option<bool>("--gateway-only") { Description = "Never dial headquarters itself." };
        var name = new Option<string?>("--name") { Description = "The name people see; default: the host name.", HelpName = "NAME" };
        var wait = new Option<bool>("--wait") { Description = "Keep trying while headquarters is out of reach." };
        token.Validators.Add(result =>
        {
            if (Read(result.GetValueOrDefault<string>(), out _) is { } problem)
                result.AddError(problem);
        });

        var command = new Command("enroll", """
            Joins this machine to headquarters. The server must show a certificate of the CA that the token pins; nothing is sent to any other.
            While headquarters is out of reach the enrolment is kept, and completes with --wait, with a repeat, or with 'agent run'.

            Example:
              agent enroll --data /var/lib/fleet-agent --token fleet1.leeds.… --gateway 192.168.1.10:13000 --server hq.example.com:13000
            """)
        { data, config, token, gateways, servers, gatewayOnly, name, wait };
        command.Validators.Add(result =>
        {
            var reachable = (result.GetValue(gateways)?.Length ?? 0) + (result.GetValue(gatewayOnly) ? 0 : result.GetValue(servers)?.Length ?? 0);
            if (reachable == 0)
                result.AddError(result.GetValue(gatewayOnly) ? "--gateway-only needs at least one --gateway" : "give at least one --gateway or --server");
        });
        command.SetAction((parsed, cancellation) => AgentOptions.Guarded(() =>
        {
            _ = Read(parsed.GetValue(token), out var join);
            var reach = new Reach(parsed.GetValue(gateways) ?? [], parsed.GetValue(servers) ?? [], parsed.GetValue(gatewayOnly));
            var options = AgentOptions.Load(parsed.GetValue(data)!, parsed.GetValue(config));
            return Enroll(parsed.GetValue(data)!, options, join!, parsed.GetValue(name) ?? Environment.MachineName, reach, parsed.GetValue(wait), cancellation);
        }));
        return command;
    }

    private static async Task<int> Enroll(string data, DeviceOptions options, JoinToken token, string name, Reach reach, bool wait, CancellationToken cancellation)
    {
        using var directory = DeviceDirectory.Open(data);
        if (IdentityFiles.Load(directory) is { } already)
        {
            await Console.Error.WriteLineAsync($"{data} already holds device {already.Device} of office {already.Office}; enrol into an empty directory").ConfigureAwait(false);
            return ExitCode.Failed;
        }

        // A repeat with the same token goes on with the same key, so that a lost reply does not spend the token twice.
        var pending = PendingEnrolment.Load(directory) is { } begun && begun.Token.Id == token.Id && begun.Name == name
            ? begun with { Reach = reach }
            : PendingEnrolment.Begin(token, JoinKind.Agent, name, MachineFingerprint.Read(), reach);
        pending.Save(directory);
        var client = new EnrolmentClient(Tcp.Connect, options, TimeProvider.System);
        var outcome = wait
            ? await client.EnrolUntilAnswered(pending, (unreachable, pause) =>
                Console.Error.WriteLine($"headquarters is out of reach ({unreachable.Detail}); trying again in {pause.TotalSeconds:0} s"), cancellation).ConfigureAwait(false)
            : await client.Enrol(pending, cancellation).ConfigureAwait(false);
        switch (outcome)
        {
            case EnrolmentOutcome.Accepted accepted:
                var identity = DeviceEnrolment.Complete(directory, pending, accepted);
                await Console.Out.WriteLineAsync($"enrolled as device {identity.Device} of office {identity.Office}, through {accepted.Through}").ConfigureAwait(false);
                return ExitCode.Done;
            case EnrolmentOutcome.Refused refused:
                PendingEnrolment.Forget(directory);
                await Console.Error.WriteLineAsync($"enrolment refused: {refused.Detail}").ConfigureAwait(false);
                return ExitCode.Failed;
            case EnrolmentOutcome.Unreachable unreachable:
                await Console.Error.WriteLineAsync(
                    $"headquarters is out of reach: {unreachable.Detail}{Environment.NewLine}The enrolment is kept in {data}; it completes by itself under 'agent run --data {data}'.").ConfigureAwait(false);
                return ExitCode.Failed;
            default:
                throw new NotSupportedException($"{outcome.GetType().Name} has no rule");
        }
    }

    // From a file: command lines show in the machine's list of processes, and in its logs.
    private static string? Read(string? given, out JoinToken? token)
    {
        try
        {
            var text = given is ['@', .. var file] ? File.ReadAllText(file).Trim() : given;
            return JoinToken.TryParse(text, out token, out var problem) ? null : problem;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            token = null;
            return $"the token can't be read: {fault.Message}";
        }
    }

    private static Option<string[]> Addresses(string name, string description)
    {
        var option = new Option<string[]>(name) { Description = description, HelpName = "HOST:PORT", Arity = ArgumentArity.OneOrMore };
        option.Validators.Add(result =>
        {
            foreach (var address in result.Tokens)
                if (HostPort.Problem(address.Value) is { } problem)
                    result.AddError($"{name}: {problem}");
        });
        return option;
    }
}
