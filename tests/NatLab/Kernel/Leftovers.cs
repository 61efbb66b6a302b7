using System.Diagnostics;
using System.Globalization;

namespace Fleet.NatLab.Kernel;

/// <summary>Finds and removes what labs leave: namespaces, the processes in them, the cable to the host, and scratch folders.</summary>
internal static class Leftovers
{
    /// <summary>Followed by the id of the process that built the lab.</summary>
    public const string Prefix = "fleetlab-";

    /// <summary>Name of the cable on the host, followed by the same id; 15 characters are the kernel's limit.</summary>
    public const string HostCable = "flab";

    /// <summary>A folder for what the lab's programs keep.</summary>
    public static DirectoryInfo MakeScratch() => Directory.CreateTempSubdirectory($"{Prefix}{Environment.ProcessId}-");

    /// <summary>Removes the labs of processes that are gone, as far as they are this user's.</summary>
    public static void Sweep()
    {
        foreach (var owner in Namespaces().Select(OwnerOf).OfType<int>().Distinct().Where(o => !Lives(o)).ToList())
            Remove($"{Prefix}{owner}-");
        foreach (var folder in new DirectoryInfo(Path.GetTempPath()).GetDirectories($"{Prefix}*").Where(f => OwnerOf(f.Name) is { } owner && !Lives(owner)))
        {
            // On loopback no namespace tells whose a program is; its data directory does.
            foreach (var pid in ProcessesIn(folder))
                Kill(pid);
            try
            {
                folder.Delete(recursive: true);
            }
            catch (UnauthorizedAccessException)
            {
                // Another user's: theirs to sweep.
            }
        }
    }

    /// <summary>Removes one lab: ends by id what runs in it, then removes its namespaces, and with them their cables and rules.</summary>
    public static void Remove(string prefix)
    {
        var own = Namespaces().Where(n => n.StartsWith(prefix, StringComparison.Ordinal)).ToList();
        foreach (var pid in own.SelectMany(Processes))
            Kill(pid);
        foreach (var name in own)
            Shell.Try("ip", ["netns", "del", name]);
        Shell.Try("ip", ["link", "del", HostCable + prefix[Prefix.Length..].TrimEnd('-')]);
    }

    private static IEnumerable<string> Namespaces() =>
        Directory.Exists("/run/netns") ? Directory.GetFiles("/run/netns").Select(p => Path.GetFileName(p)) : [];

    private static IEnumerable<int> Processes(string name) =>
        Shell.Try("ip", ["netns", "pids", name]).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => int.Parse(l, CultureInfo.InvariantCulture));

    private static IEnumerable<int> ProcessesIn(DirectoryInfo folder) => OperatingSystem.IsLinux()
        ? new DirectoryInfo("/proc").GetDirectories().Select(d => int.TryParse(d.Name, CultureInfo.InvariantCulture, out var pid) ? pid : 0)
            .Where(pid => pid > 0 && CommandLine(pid).Contains(folder.FullName + "/", StringComparison.Ordinal))
        : [];

    private static string CommandLine(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline");
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static void Kill(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            process.Kill();
            process.WaitForExit(TimeSpan.FromSeconds(5));
        }
        catch (Exception fault) when (fault is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It ended by itself, or is another user's.
        }
    }

    private static int? OwnerOf(string name)
    {
        if (!name.StartsWith(Prefix, StringComparison.Ordinal))
            return null;
        var rest = name[Prefix.Length..];
        var dash = rest.IndexOf('-', StringComparison.Ordinal);
        return dash > 0 && int.TryParse(rest.AsSpan(0, dash), CultureInfo.InvariantCulture, out var owner) ? owner : null;
    }

    // A process id may be in use again for something else; a lab's owner is a natlab, a test host or a bench, all of them .NET processes.
    private static bool Lives(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/maps").Contains("libcoreclr", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return true; // Another user's process.
        }
    }
}
