namespace Fleet.Messages.Transport;

/// <summary>A way on which a byte stream to a logical host opens.</summary>
/// <param name="Name">For people: an address, or through whom.</param>
/// <param name="Open">Throws an <see cref="IOException"/> or <see cref="System.Security.Authentication.AuthenticationException"/> where it does not open.</param>
public sealed record LinkWay(string Name, Func<CancellationToken, Task<Stream>> Open)
{
    /// <summary>A dial to <c>host:port</c>.</summary>
    public static LinkWay Direct(IByteNetwork network, string address) => new(address, cancellation => network.Connect(address, cancellation));
}
