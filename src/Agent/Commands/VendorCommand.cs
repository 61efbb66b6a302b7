using System.CommandLine;
using System.Security.Cryptography;
using Fleet.Contracts;
using Fleet.Device.Storage;
using Fleet.Device.Updates;

namespace Fleet.Agent.Commands;

/// <summary><c>agent vendor</c>: the vendors that this device holds on to; only who may read its files can make it let go.</summary>
internal static class VendorCommand
{
    public static Command Make() => new("vendor", "The vendors that this device asks whether a package is genuine, and how it lets go of one.")
    {
        List(),
        Forget(),
    };

    private static Command List()
    {
        var data = AgentOptions.Data();
        var command = new Command("list", """
            Lists the vendors, also while the agent runs.

            Example:
              agent vendor list --data /var/lib/fleet-agent
            """)
        { data };
        command.SetAction((parsed, _) => AgentOptions.Guarded(async () =>
        {
            using var directory = DeviceDirectory.Look(parsed.GetValue(data)!);
            var vendors = UpdateState.Load(directory).Vendors;
            if (vendors.Count == 0)
                await Console.Error.WriteLineAsync("headquarters never named a vendor to this device").ConfigureAwait(false);
            foreach (var vendor in vendors)
                await Console.Out.WriteLineAsync(InWords(vendor)).ConfigureAwait(false);
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Forget()
    {
        var data = AgentOptions.Data();
        var name = new Argument<string>("vendor") { Description = "Its name." };
        var command = new Command("forget", """
            Lets go of a vendor: from the next sync on, what headquarters names under that name counts, or nothing does. Stop the agent first.

            Example:
              agent vendor forget acme --data /var/lib/fleet-agent
            """)
        { name, data };
        command.SetAction((parsed, _) => AgentOptions.Guarded(async () =>
        {
            using var directory = DeviceDirectory.Open(parsed.GetValue(data)!, mayMake: false);
            var vendor = parsed.GetValue(name)!;
            if (!DeviceUpdates.Forget(vendor, directory, directory.Path))
            {
                await Console.Error.WriteLineAsync($"this device holds on to no vendor '{vendor}'{NearMiss.Hint(vendor, UpdateState.Load(directory).Vendors.Select(v => v.Name))}").ConfigureAwait(false);
                return ExitCode.Failed;
            }

            await Console.Out.WriteLineAsync($"vendor {vendor} is forgotten; start the agent again").ConfigureAwait(false);
            return ExitCode.Done;
        }));
        return command;
    }

    private static string InWords(PinnedVendor vendor)
    {
        var root = $"{vendor.Name}: {string.Join(", ", vendor.Packages)}; first root {Convert.ToHexStringLower(SHA256.HashData(vendor.Root.Span))}";
        return vendor switch
        {
            { IsDropped: true } => $"{root}; headquarters names it no more",
            { RefusedRoot.IsEmpty: false } => $"{root}; headquarters names another root, {Convert.ToHexStringLower(vendor.RefusedRoot.Span)}",
            _ => root,
        };
    }
}
