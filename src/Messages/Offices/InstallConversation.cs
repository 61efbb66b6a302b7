using Fleet.Contracts;
using Fleet.Messages.Link;
using MessagePack;

namespace Fleet.Messages.Offices;

// Setting up the agent on a discovered device, as the office twin hears of it and journals it. Credentials are in no event.

/// <summary>Answer: <see cref="InstallAccepted"/>.</summary>
/// <param name="Address">Null: the device's newest.</param>
/// <param name="Secret">An <see cref="InstallSecret"/> without its token, sealed for headquarters itself.</param>
/// <param name="AcceptHostKey">Take whatever host key the device shows, also where another one is known.</param>
[MessagePackObject]
public sealed record StartInstall(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] DiscoveredId DiscoveredId,
    [property: Key(2)] string? Address,
    [property: Key(3)] int Port,
    [property: Key(4)] ReadOnlyMemory<byte> Secret,
    [property: Key(5)] bool AcceptHostKey,
    [property: Key(6)] string By) : IOfficeCommand;

[MessagePackObject]
public sealed record InstallAccepted([property: Key(0)] OfficeId OfficeId, [property: Key(1)] InstallId InstallId, [property: Key(2)] NodeId NodeId) : IOfficeReply;

public interface IInstallEvent : IOfficeEvent
{
    InstallId InstallId { get; }
}

/// <param name="TokenId">The token with which the agent joins.</param>
/// <param name="HostKey">The key that it must show; empty: any.</param>
[MessagePackObject]
public sealed record AgentInstallBegun(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] InstallId InstallId,
    [property: Key(2)] DiscoveredId DiscoveredId,
    [property: Key(3)] string Name,
    [property: Key(4)] NodeId NodeId,
    [property: Key(5)] string Address,
    [property: Key(6)] int Port,
    [property: Key(7)] string HostKey,
    [property: Key(8)] TokenId TokenId,
    [property: Key(9)] string By,
    [property: Key(10)] DateTimeOffset At) : IInstallEvent;

/// <summary>The agent joined with the installation's token.</summary>
[MessagePackObject]
public sealed record AgentInstallJoined([property: Key(0)] OfficeId OfficeId, [property: Key(1)] InstallId InstallId, [property: Key(2)] DeviceId DeviceId, [property: Key(3)] DateTimeOffset At) : IInstallEvent;

[MessagePackObject]
public sealed record AgentInstallEnded(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] InstallId InstallId,
    [property: Key(2)] InstallOutcome Outcome,
    [property: Key(3)] string Detail,
    [property: Key(4)] string HostKey,
    [property: Key(5)] DateTimeOffset At) : IInstallEvent;

/// <summary>An installation under way.</summary>
/// <param name="DeviceId">As which its agent joined; null: it has not yet.</param>
[MessagePackObject]
public sealed record InstallSnapshot([property: Key(0)] AgentInstallBegun Begun, [property: Key(1)] DeviceId? DeviceId);
