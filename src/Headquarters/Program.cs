using System.CommandLine;
using Fleet.Headquarters.Commands;

return await ProcessCommands.Invoke(new RootCommand("""
    Fleet's headquarters: console, REST API, and what office nodes and agents dial.

    Examples:
      headquarters run --data /var/lib/fleet-hq
      headquarters run --data /var/lib/fleet-hq --set log.level=debug
      headquarters rebuild-read-model --data /var/lib/fleet-hq
      headquarters restore --data /var/lib/fleet-hq --from fleet.backup --passphrase-file /etc/fleet/backup-passphrase
      headquarters move-storage --data /var/lib/fleet-hq --to postgresql --connection-string "Host=db.example;Username=fleet;Database=fleet"

    The first start makes this headquarters' identity and an administrator token, in the data directory.
    Exit codes: 0 done, 1 failed, 2 wrong usage or wrong settings.
    """)
{
    ProcessCommands.Run(),
    ProcessCommands.Join(),
    ProcessCommands.RebuildReadModel(),
    ProcessCommands.Restore(),
    ProcessCommands.SetAside(),
    ProcessCommands.MoveStorage(),
}, args);
