using Fleet.Contracts.Agents;
using Fleet.Device.Identity;

namespace Fleet.Device.Sync;

/// <summary>A way to one carrier (a gateway or headquarters). gRPC in the agent; a call inside the process for an office node's own machine.</summary>
public interface ISyncChannel
{
    /// <summary>Who answers there: a node id, <c>headquarters</c>, or the address while that is not known yet.</summary>
    string Name { get; }

    /// <summary>It failed lately, so it is a last resort.</summary>
    bool IsAvoided => false;

    /// <exception cref="CarrierException">Nobody there, not to be trusted, or no answer in time: try the next carrier.</exception>
    Task<SyncReply> SyncAsync(SyncRequest request, CancellationToken cancellation);
}

/// <summary>The carriers that a device may use.</summary>
public interface ISyncCarriers : IAsyncDisposable
{
    /// <summary>Channels in order of preference; asked before each sync. Those that stay are kept open.</summary>
    /// <param name="addresses"><c>host:port</c> in order, as the device's desired state and its enrolment say.</param>
    IReadOnlyList<ISyncChannel> InOrder(IReadOnlyList<string> addresses, DeviceIdentity identity);

    /// <summary>Raised, from any thread, when the connection to a gateway of the office ended while nothing was asked of it.</summary>
    event Action GatewayLost
    {
        add { }
        remove { }
    }

    /// <summary>The node is gone, as another connection to it shows: its gateway is a last resort for a while.</summary>
    void Avoid(string node)
    {
    }
}

/// <summary>A carrier can't be used now; the message names it and says why.</summary>
public sealed class CarrierException(string message, TimeSpan? retryAfter = null) : Exception(message)
{
    /// <summary>When the carrier said to try again, already spread; null: it did not.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}
