using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Fleet.Contracts.Agents;
using Google.Protobuf.WellKnownTypes;

namespace Fleet.Device.Inventory;

/// <summary>
/// The machine this process runs on, read from the system itself. Whatever can't be read is left empty: an inventory with a hole is worth more
/// than none. Lists and texts are capped, so that a machine with thousands of mounts still fits an envelope.
/// </summary>
public sealed class LocalMachine(string agentVersion) : IMachine
{
    private const int MaxEntries = 32;
    private const int MaxAddresses = 8;
    private const int MaxText = 200;
    // Free space is told in steps of this part of the size, so that ordinary writing changes no report.
    private const int FreeSteps = 20;

    private static readonly HashSet<string> PseudoFileSystems =
    [
        "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs", "fusectl", "hugetlbfs", "mqueue", "nsfs",
        "overlay", "proc", "pstore", "ramfs", "rpc_pipefs", "securityfs", "squashfs", "sysfs", "tmpfs", "tracefs", "overlayfs", "cgroupfs", "cgroup2fs", "fuse.lxcfs",
    ];

    private readonly Lazy<byte[]> _fingerprint = new(MachineFingerprint.Read);
    // What can't change while the process lives is read once.
    private readonly Lazy<OperatingSystemFacts> _system = new(OperatingSystemFacts.Read);

    public byte[] Fingerprint => _fingerprint.Value;

    public Contracts.Agents.Inventory Inventory()
    {
        var system = _system.Value;
        var inventory = new Contracts.Agents.Inventory
        {
            HostName = Capped(Environment.MachineName),
            OsName = Capped(system.Name),
            OsVersion = Capped(system.Version),
            Kernel = Capped(system.Kernel),
            Architecture = RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant(),
            CpuModel = Capped(system.CpuModel),
            CpuCores = Environment.ProcessorCount,
            MemoryBytes = system.MemoryBytes,
            BootedAt = Timestamp.FromDateTimeOffset(system.BootedAt),
            AgentVersion = Capped(agentVersion),
        };
        inventory.Disks.AddRange(Disks().OrderBy(d => d.Mount, StringComparer.Ordinal).Take(MaxEntries));
        inventory.Interfaces.AddRange(Interfaces().OrderBy(i => i.Name, StringComparer.Ordinal).Take(MaxEntries));
        return inventory;
    }

    private static IEnumerable<Disk> Disks()
    {
        foreach (var drive in DriveInfo.GetDrives())
        {
            Disk disk;
            try
            {
                if (!drive.IsReady || drive.TotalSize == 0 || (PseudoFileSystems.Contains(drive.DriveFormat) && drive.Name != "/"))
                    continue;
                var step = Math.Max(1, drive.TotalSize / FreeSteps);
                disk = new Disk
                {
                    Mount = Capped(drive.Name),
                    FileSystem = Capped(drive.DriveFormat),
                    SizeBytes = drive.TotalSize,
                    FreeBytes = drive.AvailableFreeSpace / step * step,
                };
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                continue;
            }

            yield return disk;
        }
    }

    private static IEnumerable<Contracts.Agents.NetworkInterface> Interfaces()
    {
        foreach (var one in System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces())
        {
            if (one.NetworkInterfaceType == NetworkInterfaceType.Loopback)
                continue;
            var shown = new Contracts.Agents.NetworkInterface { Name = Capped(one.Name), Mac = MacText(one.GetPhysicalAddress()) };
            shown.Addresses.AddRange(one.GetIPProperties().UnicastAddresses
                // Temporary IPv6 addresses (RFC 8981) come and go each day; the link-local ones say nothing.
                .Where(a => a.Address.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6 && !a.Address.IsIPv6LinkLocal)
                .Select(a => a.Address.ToString()).Order(StringComparer.Ordinal).Take(MaxAddresses));
            yield return shown;
        }
    }

    private static string MacText(PhysicalAddress mac) => string.Join(':', mac.GetAddressBytes().Select(b => b.ToString("x2")));

    private static string Capped(string text) => text.Length <= MaxText ? text : text[..MaxText];
}
