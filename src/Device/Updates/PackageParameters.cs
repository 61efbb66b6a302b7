using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Updates.Content;
using Fleet.Updates.Packages;

namespace Fleet.Device.Updates;

/// <summary>What headquarters says of how a package is installed.</summary>
/// <param name="Window">Null: at any time.</param>
/// <param name="Health">A command; null: nothing is checked.</param>
internal sealed record PackageParameters(MaintenanceWindow? Window, string? Health, TimeSpan HealthTimeout, TimeSpan RunTimeout)
{
    /// <summary>Null: something in it can't be obeyed, and the problem says what.</summary>
    public static PackageParameters? Read(WantedPackage wanted, UpdateOptions options, out string problem)
    {
        problem = PackageTarget.Problem(wanted.Name, wanted.Version) ?? (wanted.Manifest.Length == BlobHash.Bytes ? "" : "headquarters named no manifest");
        var window = wanted.Parameters.TryGetValue("window", out var text) && problem.Length == 0 ? MaintenanceWindow.Parse(text, out problem) : null;
        var health = Duration("health-timeout", options.HealthTimeout, ref problem);
        var run = Duration("timeout", options.RunTimeout, ref problem);
        return problem.Length == 0 ? new PackageParameters(window, wanted.Parameters.TryGetValue("health", out var command) ? command : null, health, run) : null;

        TimeSpan Duration(string key, TimeSpan otherwise, ref string problem)
        {
            if (!wanted.Parameters.TryGetValue(key, out var text))
                return otherwise;
            if (!DurationText.TryParse(text, out var duration) && problem.Length == 0)
                problem = $"parameter {key} = '{text}' is no duration, such as 90s";
            return duration;
        }
    }
}
