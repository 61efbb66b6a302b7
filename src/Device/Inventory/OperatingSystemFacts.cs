using System.Globalization;
using System.Runtime.InteropServices;

namespace Fleet.Device.Inventory;

/// <summary>What the operating system says of itself and its machine. Linux: /etc/os-release and /proc. Windows and macOS: what .NET knows of them.</summary>
internal sealed record OperatingSystemFacts(string Name, string Version, string Kernel, string CpuModel, long MemoryBytes, DateTimeOffset BootedAt)
{
    public static OperatingSystemFacts Read() => OperatingSystem.IsLinux() ? ReadLinux() : ReadGeneric();

    /// <summary>The distribution's name and version, from the text of an os-release file (os-release(5)).</summary>
    internal static (string Name, string Version) ReadOsRelease(IEnumerable<string> lines)
    {
        var values = new Dictionary<string, string>();
        foreach (var line in lines)
            if (line.IndexOf('=') is > 0 and var split)
                values[line[..split].Trim()] = line[(split + 1)..].Trim().Trim('"', '\'');
        return (values.GetValueOrDefault("NAME") ?? "Linux", values.GetValueOrDefault("VERSION_ID") ?? values.GetValueOrDefault("VERSION") ?? "");
    }

    private static OperatingSystemFacts ReadLinux()
    {
        var (name, version) = ReadOsRelease(Lines("/etc/os-release"));
        var kernel = Lines("/proc/sys/kernel/osrelease").FirstOrDefault() ?? "";
        // x86 says "model name", ARM often "Hardware" or "Model".
        var cpu = Field("/proc/cpuinfo", "model name") ?? Field("/proc/cpuinfo", "Model") ?? Field("/proc/cpuinfo", "Hardware") ?? "";
        var memory = long.TryParse(Field("/proc/meminfo", "MemTotal")?.Split(' ')[0], CultureInfo.InvariantCulture, out var kilobytes) ? kilobytes * 1024 : 0;
        // Seconds since 1970; unlike uptime it stays the same from reading to reading.
        var booted = Lines("/proc/stat").FirstOrDefault(l => l.StartsWith("btime ", StringComparison.Ordinal));
        return new OperatingSystemFacts(name, version, kernel, cpu, memory,
            long.TryParse(booted?[6..], CultureInfo.InvariantCulture, out var seconds) ? DateTimeOffset.FromUnixTimeSeconds(seconds) : DateTimeOffset.UnixEpoch);
    }

    private static OperatingSystemFacts ReadGeneric() => new(
        OperatingSystem.IsWindows() ? "Windows" : OperatingSystem.IsMacOS() ? "macOS" : RuntimeInformation.OSDescription,
        Environment.OSVersion.Version.ToString(),
        RuntimeInformation.OSDescription,
        Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? "",
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        // To the minute: the two clocks are not read at one instant.
        RoundedToMinute(DateTimeOffset.UtcNow - TimeSpan.FromMilliseconds(Environment.TickCount64)));

    private static DateTimeOffset RoundedToMinute(DateTimeOffset time) => new(time.Ticks - time.Ticks % TimeSpan.TicksPerMinute, TimeSpan.Zero);

    private static string? Field(string path, string name) => Lines(path)
        .Where(l => l.StartsWith(name, StringComparison.Ordinal) && l[name.Length..].TrimStart().StartsWith(':'))
        .Select(l => l[(l.IndexOf(':') + 1)..].Trim()).FirstOrDefault();

    private static IReadOnlyList<string> Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
