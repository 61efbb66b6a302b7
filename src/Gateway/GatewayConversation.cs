using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Messages.Link;

namespace Fleet.Gateway;

// What is said inside one process between the gRPC service, the GatewayActor (a session per connected device) and its uplink.
// Office node: the uplink is the Relay. Headquarters is its own gateway: the uplink is the DirectRelay, which asks the office twins.

/// <summary>gRPC service → GatewayActor, by Ask. Answer: <see cref="SyncReply"/>. The certificate has already been checked against the device id.</summary>
public sealed record SyncDevice(DeviceId DeviceId, SyncRequest Request);

/// <summary>gRPC service → GatewayActor, by Ask. Answer: <see cref="EnrolReply"/>.</summary>
public sealed record EnrolNewcomer(EnrolRequest Request);

/// <summary>Uplink → GatewayActor: whether headquarters can be reached, and under which epoch. On a new epoch all cached "headquarters has version N" are void until told again.</summary>
public sealed record UplinkChanged(bool Up, string Epoch);

/// <summary>GatewayActor → uplink: these should go up. What must not be lost (device envelopes) the uplink keeps.</summary>
public sealed record SendUp(IReadOnlyList<IUpItem> Items);

/// <summary>Uplink → GatewayActor: these came down.</summary>
public sealed record CameDown(IReadOnlyList<IDownItem> Items);

/// <summary>Uplink → GatewayActor: send a presence digest now if anyone was seen since the last.</summary>
public sealed record PresenceDue;

/// <summary>Uplink → GatewayActor: who owns the office at headquarters has begun anew; tell which lines its devices have open here.</summary>
public sealed record TellLines(OfficeId OfficeId);

/// <summary>Uplink → GatewayActor, by Ask, at an announce: which desired documents are held. Answer: a list of <see cref="HeldDesired"/>.</summary>
public sealed record GetHeld;

/// <summary>GatewayActor → uplink, when it starts: here is the gateway. Answer: <see cref="UplinkChanged"/> at once and at each change; what comes down goes to the sender.</summary>
public sealed record GatewayReady;
