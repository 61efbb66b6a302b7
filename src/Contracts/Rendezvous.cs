using System.Security.Cryptography;
using System.Text;

namespace Fleet.Contracts;

/// <summary>
/// An order of servers that each client has for itself (rendezvous hashing, Thaler and Ravishankar 1998): many clients share the servers evenly, and those
/// of one that fails spread over the others.
/// </summary>
public static class Rendezvous
{
    /// <param name="name">Names a server, the same for every client.</param>
    public static IEnumerable<T> Order<T>(DeviceId client, IEnumerable<T> servers, Func<T, string> name) => Order(client.Value, servers, name);

    /// <param name="client">Whoever, or whatever, is to be spread over the servers.</param>
    /// <param name="name">Names a server, the same for every client.</param>
    public static IEnumerable<T> Order<T>(string client, IEnumerable<T> servers, Func<T, string> name) =>
        servers.OrderByDescending(s => Weight(client, name(s)), StringComparer.Ordinal);

    private static string Weight(string client, string server) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{client} {server}")).AsSpan(0, 8));
}
