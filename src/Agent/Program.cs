using System.CommandLine;
using Fleet.Agent;
using Fleet.Agent.Commands;

var root = new RootCommand("""
    The Fleet agent: reports this machine to headquarters and applies what headquarters desires.

    Examples:
      agent enroll --data /var/lib/fleet-agent --token fleet1.leeds.… --gateway gw1.leeds.example:13000
      agent enroll --data /var/lib/fleet-agent --token fleet1.leeds.… --server hq.example.com:13000
      agent run --data /var/lib/fleet-agent
      agent show --data /var/lib/fleet-agent --json
      agent vendor list --data /var/lib/fleet-agent

    Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 75 another version takes over and has to be started.
    """)
{
    EnrollCommand.Make(),
    RunCommand.Make(),
    ShowCommand.Make(),
    VendorCommand.Make(),
};

// @FILE is read by the option that takes it; the library would put the file's words in its place.
var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
// Longer than the agent's goodbye may take.
var code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(15) });
return parsed.Errors.Count > 0 ? ExitCode.Usage : code;
