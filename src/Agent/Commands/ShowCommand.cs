using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Fleet.Contracts.Agents;
using Fleet.Device.Enrolment;
using Fleet.Device.Identity;
using Fleet.Device.Settings;
using Fleet.Device.Storage;
using Fleet.Device.Sync;
using Fleet.Device.Updates;

namespace Fleet.Agent.Commands;

/// <summary><c>agent show</c>: what this agent knows of itself, also while it runs.</summary>
internal static class ShowCommand
{
    public static Command Make()
    {
        var data = AgentOptions.Data();
        var config = AgentOptions.Config();
        var json = new Option<bool>("--json") { Description = "For programs; the names are stable." };
        var command = new Command("show", """
            Shows who this agent is, what it reported and what headquarters desires.

            Example:
              agent show --data /var/lib/fleet-agent --json
            """)
        { data, config, json };
        command.SetAction((parsed, _) => AgentOptions.Guarded(async () =>
        {
            using var directory = DeviceDirectory.Look(parsed.GetValue(data)!);
            var options = AgentOptions.Load(parsed.GetValue(data)!, parsed.GetValue(config));
            if (Facts(directory, options) is not { } facts)
            {
                await Console.Error.WriteLineAsync(PendingEnrolment.Load(directory) is null
                    ? "not enrolled; run 'agent enroll'"
                    : "the enrolment has not been answered yet; 'agent run' completes it").ConfigureAwait(false);
                return ExitCode.Failed;
            }

            await Console.Out.WriteLineAsync(parsed.GetValue(json) ? ToJson(facts) : ToTable(facts)).ConfigureAwait(false);
            return ExitCode.Done;
        }));
        return command;
    }

    private static IReadOnlyList<(string Name, string Value)>? Facts(DeviceDirectory directory, DeviceOptions options)
    {
        if (IdentityFiles.Load(directory) is not { } identity)
            return null;
        var state = SyncState.Load(directory);
        var effective = EffectiveSettings.From(options, identity.Reach, state.Desired);
        using var certificate = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(identity.Current.Certificate!);
        return
        [
            ("device", identity.Device.Value),
            ("office", state.Desired?.OfficeId is { Length: > 0 } office ? office : identity.Office.Value),
            ("version", AgentVersion.Text),
            ("certificate-until", certificate.NotAfter.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)),
            ("key-generation", Number(identity.Current.Generation)),
            ("desired-version", Number(state.DesiredVersion)),
            ("reported-version", Number(state.ReportedVersion)),
            ("acknowledged-version", Number(state.AcknowledgedVersion)),
            ("reached-through", state.ReachedThrough),
            ("addresses", string.Join(' ', RoutePlan.Addresses(identity.Reach, state.Desired, effective.GatewayOnly))),
            .. effective.All.Select(s => ($"setting {s.Key}", s.Value)),
            .. UpdateState.Load(directory).Packages.Select(p => ($"package {p.Name}", InWords(p.ToStatus()))),
            .. effective.Problems.Select((p, n) => ($"problem {n + 1}", p)),
            .. ReplyRules.ClockProblem(state.ClockBehind) is { } clock ? [("problem clock", clock)] : Array.Empty<(string, string)>(),
        ];
    }

    private static string InWords(PackageStatus package)
    {
        var there = package.InstalledVersion.Length > 0 ? package.InstalledVersion : "none";
        var wanted = package.WantedVersion.Length > 0 && package.WantedVersion != package.InstalledVersion ? $"; {package.WantedVersion} is wanted: {package.Step.ToString().ToLowerInvariant()}" : "";
        return there + wanted + (package.Detail.Length > 0 ? $", {package.Detail}" : "");
    }

    private static string Number(ulong number) => number.ToString(CultureInfo.InvariantCulture);

    private static string ToTable(IReadOnlyList<(string Name, string Value)> facts)
    {
        var width = facts.Max(f => f.Name.Length) + 2;
        return string.Join(Environment.NewLine, facts.Select(f => f.Name.PadRight(width) + f.Value));
    }

    private static string ToJson(IReadOnlyList<(string Name, string Value)> facts)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            foreach (var (name, value) in facts)
                json.WriteString(name, value);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
