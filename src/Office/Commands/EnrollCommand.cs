using System.CommandLine;
using System.Net;
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
        var listen = new Option<string?>("--listen")
        {
            Description = "Where headquarters dials this machine, which can't dial out: it waits there for 'fleet node dial'. Instead of --server.", HelpName = "IP:PORT",
        };
        var servers = Addresses("--server", "Headquarters' port for agents, or that of a gateway of the office; may be given several times.", required: false);
        var links = Addresses("--link", $"Headquarters' port for links; default: the servers' hosts with port {LinkHocon.EdgePort}.", required: false);
        var through = Addresses("--through", "The link port of another node of the office, where this node can't reach headquarters itself.", required: false);
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

            Examples:
              office enroll --data /var/lib/fleet-office --token fleet1.leeds.… --server hq.example.com:13000 --name gw1
              office enroll --data /var/lib/fleet-office --token fleet1.leeds.… --server gw1:13000 --through gw1:13001 --name gw2
              office enroll --data /var/lib/fleet-office --token fleet1.leeds.… --listen 0.0.0.0:13001 --name edge
            """)
        { data, token, servers, links, through, listen, name };
        listen.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } given && !(IPEndPoint.TryParse(given, out var at) && at.Port > 0))
                result.AddError($"--listen: '{given}' is no IP:PORT, such as 0.0.0.0:13001");
        });
        command.Validators.Add(result =>
        {
            if (result.GetResult(servers) is null == result.GetResult(listen) is null)
                result.AddError("say --server HOST:PORT, or --listen IP:PORT where headquarters dials this machine");
        });
        command.SetAction((parsed, cancellation) => NodeCommands.Guarded(() =>
        {
            _ = JoinToken.TryParse(parsed.GetValue(token), out var join, out _);
            return Enroll(parsed.GetValue(data)!, join!, parsed.GetValue(name) ?? NodeEnrolment.DefaultName(),
                new NodeReach(parsed.GetValue(servers) ?? [], parsed.GetValue(links) ?? [], parsed.GetValue(through) ?? []), parsed.GetValue(listen), cancellation);
        }));
        return command;
    }

    private static async Task<int> Enroll(string path, JoinToken token, string name, NodeReach reach, string? listen, CancellationToken cancellation)
    {
        using var data = DataDirectory.Open(path, OfficeNode.DataKind);
        if (NodeEnrolment.Completed(data) is { } already)
        {
            await Console.Error.WriteLineAsync($"{path} already holds office node {already.NodeId}; enrol into an empty directory");
            return NodeCommands.Failed;
        }

        switch (listen is null
            ? await new NodeEnrolment(new EnrolmentClient(Tcp.Connect, DeviceOptions.Default, TimeProvider.System), MachineFingerprint.Read()).Enrol(data, token, name, reach, cancellation)
            : await Wait(IPEndPoint.Parse(listen), data, token, name, cancellation))
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

    private static async Task<EnrolmentOutcome> Wait(IPEndPoint at, DataDirectory data, JoinToken token, string name, CancellationToken cancellation)
    {
        try
        {
            Console.WriteLine($"waiting at {at} until headquarters dials ('fleet node dial')");
            return await new DialledEnrolment(new TcpNetwork(), MachineFingerprint.Read(), TimeProvider.System).Enrol(at, data, token, name, Console.Error.WriteLine, cancellation);
        }
        catch (IOException fault)
        {
            throw new StorageException(fault.Message);
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
