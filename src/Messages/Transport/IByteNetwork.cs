using System.Net;

namespace Fleet.Messages.Transport;

/// <summary>What a process needs of its network: dial and listen for byte streams. Real: TCP sockets. In tests: the simulated NATs of the lab.</summary>
public interface IByteNetwork
{
    /// <summary>Opens a stream to <c>host:port</c>.</summary>
    /// <exception cref="IOException">Nobody there, or the network refuses.</exception>
    Task<Stream> Connect(string address, CancellationToken cancellation);

    /// <summary>Listens at an address and port; port 0 lets the system choose.</summary>
    /// <exception cref="IOException">The port is in use or may not be used.</exception>
    IByteListener Listen(IPEndPoint at);
}

/// <summary>An open listening port.</summary>
public interface IByteListener : IAsyncDisposable
{
    IPEndPoint Local { get; }

    /// <summary>The next stream that somebody opened, with the address it seems to come from (a NAT's, usually).</summary>
    Task<(Stream Stream, IPEndPoint Remote)> Accept(CancellationToken cancellation);
}
