namespace Fleet.NatLab.Nat;

/// <summary>On what the choice of an outside port, or the admission of a packet from outside, depends (RFC 4787, sections 4.1 and 5).</summary>
public enum Dependence
{
    /// <summary>On the inside address and port alone.</summary>
    EndpointIndependent = 1,

    /// <summary>On the remote address too.</summary>
    AddressDependent = 2,

    /// <summary>On the remote address and port too.</summary>
    AddressAndPortDependent = 3,
}

/// <summary>How a network address translator behaves, in the words of RFC 4787.</summary>
/// <param name="Mapping">When two flows of one inside endpoint share an outside port.</param>
/// <param name="Filtering">Which remote endpoints may answer to an outside port.</param>
/// <param name="DatagramTimeout">Idle time after which a datagram mapping is forgotten.</param>
/// <param name="StreamTimeout">Idle time after which a stream mapping is forgotten. RFC 5382 asks for two hours; the field offers less.</param>
public sealed record NatBehaviour(Dependence Mapping, Dependence Filtering, TimeSpan DatagramTimeout, TimeSpan StreamTimeout)
{
    /// <summary>Whether inside hosts reach one another through their outside addresses (RFC 4787, 6).</summary>
    public bool Hairpins { get; init; }

    public static NatBehaviour FullCone { get; } = Of(Dependence.EndpointIndependent, Dependence.EndpointIndependent);

    public static NatBehaviour Restricted { get; } = Of(Dependence.EndpointIndependent, Dependence.AddressDependent);

    public static NatBehaviour PortRestricted { get; } = Of(Dependence.EndpointIndependent, Dependence.AddressAndPortDependent);

    public static NatBehaviour Symmetric { get; } = Of(Dependence.AddressAndPortDependent, Dependence.AddressAndPortDependent);

    /// <summary>The kinds by the names that topology files use.</summary>
    public static IReadOnlyDictionary<string, NatBehaviour> ByName { get; } = new Dictionary<string, NatBehaviour>
    {
        ["full-cone"] = FullCone,
        ["restricted"] = Restricted,
        ["port-restricted"] = PortRestricted,
        ["symmetric"] = Symmetric,
    };

    private static NatBehaviour Of(Dependence mapping, Dependence filtering) => new(mapping, filtering, TimeSpan.FromMinutes(2), TimeSpan.FromHours(2));
}
