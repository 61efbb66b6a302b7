using System.Security.Cryptography;
using System.Text;
using Fleet.Device.Inventory;

namespace Fleet.NatLab.Fleets;

/// <summary>A machine that exists in a lab or a benchmark only.</summary>
public sealed class MadeUpMachine(string name) : IMachine
{
    private int _changes;

    public byte[] Fingerprint { get; } = SHA256.HashData(Encoding.UTF8.GetBytes(name));

    /// <summary>Makes the next inventory differ.</summary>
    public void Change() => Interlocked.Increment(ref _changes);

    public Contracts.Agents.Inventory Inventory() => new()
    {
        HostName = name,
        OsName = "Debian GNU/Linux",
        OsVersion = "12",
        Kernel = "6.1.0",
        Architecture = "x64",
        CpuModel = "Lab CPU",
        CpuCores = 4,
        MemoryBytes = (8L << 30) + Volatile.Read(ref _changes),
        AgentVersion = "0.1.0",
    };
}
