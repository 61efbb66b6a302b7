using System.Net;
using Fleet.Messages.Transport;
using Fleet.NatLab.Kernel;

namespace Fleet.NatLab.Fleets;

/// <summary>A place where a program of the fleet runs: a machine of the kernel lab, or this machine itself.</summary>
/// <param name="Namespace">Null: this machine.</param>
/// <param name="Address">How its neighbours reach it.</param>
public sealed record LabMachine(string Name, NetworkNamespace? Namespace, IPAddress Address)
{
    private static readonly TcpNetwork ThisMachine = new();

    public IByteNetwork Network => Namespace is null ? ThisMachine : Namespace;

    /// <summary>The command that runs a program there. In a namespace it gets a host name and a machine id of its own too, so that inventories differ.</summary>
    internal IReadOnlyList<string> Wrap(string machineIdFile, IEnumerable<string> command) => Namespace is null
        ? [.. command]
        : ["ip", "netns", "exec", Namespace.Name, "unshare", "--uts", "--mount", "sh", "-c",
            "hostname \"$1\" && { ! [ -e /etc/machine-id ] || mount --bind \"$2\" /etc/machine-id; } && shift 2 && exec \"$@\"",
            "sh", Name, machineIdFile, .. command];
}
