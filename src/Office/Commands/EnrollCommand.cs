using System.CommandLine;
using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Device.Enrolment;
using Fleet.Device.Inventory;
using Fleet.Device.Settings;
using Fleet.Device.Sync;
using Fleet.Messages.Transport;
using Fleet.Office.Identity;

namespace Fleet.Office.Commands;

/// <summary><c>office enroll</c>: joins this machine as an office node, with a token.</summary>
internal static class EnrollCommand
{
    public static Command Make()
    {
        var data = NodeCommands.Data();
        var token = new Option<string>("--token") { Description = "The join token, from 'fleet token create --kind node'.", HelpName = "TOKEN", Required = true };
        var servers = Addresses("--server", "Headquarters' port for agents; may be given several times.", required: true);
        var links = Addresses("--link", $"Headquarters' port for links; default: the servers' hosts with port {LinkHocon.EdgePort}.", required: false);
        var name = new Option<string?>("--name") { Description = "The node's name inside its office; default: the host name.", HelpName = "NAME" };
        token.Validators.Add(result =>
        {
            if (!JoinToken.TryParse(result.GetValueOrDefault<string>(), out _, out var problem))
                result.AddError(problem);
        });
        name.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is { } given && IdText.Problem(given) is { } problem)
                result.AddError($"--name: {problem}");
        });
        var command = new Command("enroll", """
            Joins this machine to headquarters as an office node. The server must show a certificate of the CA that the token pins; nothing is sent to
            any other.

            Example:
              office enroll --data /var/lib/fleet-office --token fleet1.leeds.… --server hq.example.com:13000 --name gw1
            """)
        { data, token, servers, links, name };
        command.SetAction((parsed, cancellation) => NodeCommands.Guarded(() =>
        {
            _ = JoinToken.TryParse(parsed.GetValue(token), out var join, out _);
            return Enroll(parsed.GetValue(data)!, join!, parsed.GetValue(name) ?? NodeEnrolment.DefaultName(), parsed.GetValue(servers)!, parsed.GetValue(links) ?? [], cancellation);
        }));
        return command;
    }

    private static async Task<int> Enroll(
        string path, JoinToken token, string name, IReadOnlyList<string> servers, IReadOnlyList<string> links, CancellationToken cancellation)
    {
        using var data = DataDirectory.Open(path, OfficeNode.DataKind);
        if (NodeEnrolment.Completed(data) is { } already)
        {
            await Console.Error.WriteLineAsync($"{path} already holds office node {already.NodeId}; enrol into an empty directory");
            return NodeCommands.Failed;
        }

        var enrolment = new NodeEnrolment(new EnrolmentClient(Tcp.Connect, DeviceOptions.Default, TimeProvider.System), MachineFingerprint.Read());
        switch (await enrolment.Enrol(data, token, name, servers, links, cancellation))
        {
            case EnrolmentOutcome.Accepted accepted:
                Console.WriteLine($"enrolled as office node {accepted.Reply.Id}");
                return NodeCommands.Done;
            case EnrolmentOutcome.Refused refused:
                await Console.Error.WriteLineAsync($"enrolment refused: {refused.Detail}");
                return NodeCommands.Failed;
            case EnrolmentOutcome.Unreachable unreachable:
                await Console.Error.WriteLineAsync($"headquarters is out of reach: {unreachable.Detail}{Environment.NewLine}Run the same command again: the token is not spent.");
                return NodeCommands.Failed;
            case var other:
                throw new NotSupportedException($"{other.GetType().Name} has no rule");
        }
    }

    private static Option<string[]> Addresses(string name, string description, bool required)
    {
        var option = new Option<string[]>(name) { Description = description, HelpName = "HOST:PORT", Required = required };
        option.Validators.Add(result =>
        {
            foreach (var address in result.Tokens)
                if (HostPort.Problem(address.Value) is { } problem)
                    result.AddError($"{name}: {problem}");
        });
        return option;
    }
}
