using Fleet.Contracts;
using MessagePack;

namespace Fleet.Messages.Link;

// Setting up the agent on a discovered device: headquarters asks a node on its network. InstallAgent → InstallProgress… → InstallEnded.

/// <param name="Address">IP address of the device.</param>
/// <param name="Port">Of its SSH server.</param>
/// <param name="HostKey">The host key that it must show, as <c>ssh-ed25519 SHA256:…</c>; empty: none is known, and the one it shows is told.</param>
/// <param name="Secret">A NodeSecret for purpose <see cref="Installs.Secret"/> around an <see cref="InstallSecret"/>.</param>
/// <param name="Gateways">host:port of gateways that the agent is to use, in order.</param>
/// <param name="Servers">host:port of headquarters, for an agent without a gateway.</param>
[MessagePackObject]
public sealed record InstallAgent(
    [property: Key(0)] InstallId InstallId,
    [property: Key(1)] string Address,
    [property: Key(2)] int Port,
    [property: Key(3)] string HostKey,
    [property: Key(4)] ReadOnlyMemory<byte> Secret,
    [property: Key(5)] IReadOnlyList<string> Gateways,
    [property: Key(6)] IReadOnlyList<string> Servers) : IDownItem;

/// <summary>What nobody but the node may see. Its text never names what is in it.</summary>
/// <param name="Password">For the log-in, and for sudo; empty: none.</param>
/// <param name="PrivateKey">OpenSSH or PEM; empty: none.</param>
/// <param name="JoinToken">With one use; empty while headquarters has not made it.</param>
[MessagePackObject]
public sealed record InstallSecret(
    [property: Key(0)] string User,
    [property: Key(1)] string Password,
    [property: Key(2)] string PrivateKey,
    [property: Key(3)] string Passphrase,
    [property: Key(4)] string JoinToken)
{
    public override string ToString() => nameof(InstallSecret);
}

/// <summary>What both sides name alike.</summary>
public static class Installs
{
    /// <summary>The purpose under which headquarters seals what the node needs.</summary>
    public const string Secret = "agent installation";
}

/// <summary>Where an installation is. Not journaled.</summary>
[MessagePackObject]
public sealed record InstallProgress([property: Key(0)] InstallId InstallId, [property: Key(1)] InstallStep Step) : IUpItem;

/// <summary>Numbers are on the wire.</summary>
public enum InstallStep
{
    Connecting = 1,
    LookingAround = 2,
    Copying = 3,
    Enrolling = 4,
    Starting = 5,
}

/// <param name="Detail">For people: what went wrong and what to do.</param>
/// <param name="HostKey">The host key that the device showed; empty: it came to none.</param>
[MessagePackObject]
public sealed record InstallEnded(
    [property: Key(0)] InstallId InstallId,
    [property: Key(1)] InstallOutcome Outcome,
    [property: Key(2)] string Detail,
    [property: Key(3)] string HostKey) : IUpItem;

/// <summary>Numbers are on the wire and in the journal.</summary>
public enum InstallOutcome
{
    Installed = 1,
    Unreachable = 2,
    HostKeyChanged = 3,
    AuthenticationRefused = 4,
    NoSudo = 5,
    WrongArchitecture = 6,
    DiskFull = 7,

    /// <summary>The agent is on the device and could not join.</summary>
    EnrolmentFailed = 8,

    /// <summary>Nobody knows how it ended: the node or its link went.</summary>
    Interrupted = 9,

    /// <summary>Something else; the detail says what.</summary>
    Failed = 10,
}
