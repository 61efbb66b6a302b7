using System.CommandLine;
using Fleet.Office.Commands;

return await NodeCommands.Invoke(new RootCommand("""
    A Fleet office node: links an office to headquarters and serves its devices. It dials out; nothing in the office listens except the roles it holds.

    Examples:
      office enroll --data /var/lib/fleet-office --token fleet1.leeds.… --server hq.example.com:13000
      office run --data /var/lib/fleet-office
      office run --data /var/lib/fleet-office --set gateway.port=13010 --set log.level=debug
      office show --data /var/lib/fleet-office --json
      office poll

    Exit codes: 0 done, 1 refused or failed, 2 wrong usage or wrong settings.
    """)
{
    EnrollCommand.Make(),
    RunCommand.Make(),
    ShowCommand.Make(),
    PollCommand.Make(),
}, args);
