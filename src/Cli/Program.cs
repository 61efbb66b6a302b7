using Fleet.Cli;

return await FleetCli.Run(args, Terminal.System());
