using System.Net;
using System.Net.Sockets;

namespace Fleet.TestSupport;

/// <summary>TCP ports of loopback that nobody listens on now, for programs that have to be told theirs.</summary>
public static class FreePorts
{
    public static int One() => Take(1)[0];

    /// <summary>One of a range, for programs that take no other.</summary>
    /// <exception cref="InvalidOperationException">All are taken.</exception>
    public static int Within(int first, int last)
    {
        for (var port = first; port <= last; port++)
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody has it.
            }
        }

        throw new InvalidOperationException($"no port from {first} to {last} is free");
    }

    /// <summary>So many different ones.</summary>
    public static int[] Take(int count)
    {
        // Held together until all are found, or the system would give one twice.
        var held = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        try
        {
            held.ForEach(l => l.Start());
            return [.. held.Select(l => ((IPEndPoint)l.LocalEndpoint).Port)];
        }
        finally
        {
            held.ForEach(l => l.Dispose());
        }
    }
}
