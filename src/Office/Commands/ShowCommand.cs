using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Fleet.Contracts.Storage;
using Fleet.Device.Identity;
using Fleet.Device.Storage;
using Fleet.Messages.Link;
using Fleet.Office.Identity;

namespace Fleet.Office.Commands;

/// <summary><c>office show</c>: what this node knows of itself, also while it runs.</summary>
internal static class ShowCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static Command Make()
    {
        var data = NodeCommands.Data();
        var json = new Option<bool>("--json") { Description = "For programs; the names are stable." };
        var command = new Command("show", """
            Shows who this node is, what headquarters wants of it, and where it dials.

            Example:
              office show --data /var/lib/fleet-office --json
            """)
        { data, json };
        command.SetAction((parsed, _) => NodeCommands.Guarded(async () =>
        {
            using var directory = DataDirectory.Look(parsed.GetValue(data)!, OfficeNode.DataKind);
            if (NodeIdentity.Load(directory) is not { } identity)
            {
                await Console.Error.WriteLineAsync("not enrolled; run 'office enroll'");
                return NodeCommands.Failed;
            }

            var facts = Facts(directory, identity);
            Console.WriteLine(parsed.GetValue(json)
                ? JsonSerializer.Serialize(facts.ToDictionary(f => f.Name, f => f.Value), Indented)
                : string.Join(Environment.NewLine, facts.Select(f => $"{f.Name,-20}{f.Value}")));
            return NodeCommands.Done;
        }));
        return command;
    }

    private static IReadOnlyList<(string Name, string Value)> Facts(DataDirectory data, NodeIdentity identity)
    {
        using var certificate = X509CertificateLoader.LoadCertificate(identity.Current.Certificate!);
        using var deviceFiles = DeviceDirectory.Look(data.PathOf(OfficeNode.DeviceFolder));
        var desired = DesiredFile.Load(data);
        return
        [
            ("node", identity.NodeId.Value),
            ("office", identity.NodeId.Office.Value),
            ("device", IdentityFiles.Load(deviceFiles)?.Device.Value ?? ""),
            ("version", OfficeNode.Version),
            ("link", string.Join(' ', identity.Link)),
            ("link-through", string.Join(' ', [.. identity.Through ?? [], .. (desired?.Through ?? []).SelectMany(hop => hop.Addresses)])),
            ("certificate-until", certificate.NotAfter.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)),
            ("desired-version", (desired?.Version ?? 0).ToString(CultureInfo.InvariantCulture)),
            ("desired-roles", string.Join(' ', (desired?.Roles ?? []).Select(NodeRoles.Name))),
        ];
    }
}
