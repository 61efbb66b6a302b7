using System.Text.Json;
using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Device.Identity;

namespace Fleet.Office.Identity;

/// <summary>Who this node is, as headquarters enrolled it, and where headquarters' link is dialled. One file, so that a key and its certificate never part.</summary>
/// <param name="Authority">Headquarters' CA, DER: the only trust anchor.</param>
/// <param name="Current">The key that TLS shows.</param>
/// <param name="Next">A key whose certificate has been asked for.</param>
/// <param name="Link"><c>host:port</c> of headquarters' link, in order.</param>
/// <param name="Through"><c>host:port</c> of link ports of the office's other nodes, to which the link is handed; null: none were named.</param>
public sealed record NodeIdentity(string NodeName, byte[] Authority, DeviceKey Current, DeviceKey? Next, IReadOnlyList<string> Link, IReadOnlyList<string>? Through = null)
{
    private const string FileName = "node.json";

    /// <summary>Certificates are renewed when this part of their life is over.</summary>
    private const double RenewAfter = 2.0 / 3;

    public NodeId NodeId => new(NodeName);

    /// <summary>Whether it is time for another certificate.</summary>
    public bool RenewalDue(DateTimeOffset now)
    {
        using var certificate = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(Current.Certificate!);
        var (from, to) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
        return now.UtcDateTime >= from + (to - from) * RenewAfter;
    }

    /// <summary>The identity, or null where the node is not enrolled.</summary>
    /// <exception cref="StorageException">The file is damaged.</exception>
    public static NodeIdentity? Load(DataDirectory data)
    {
        if (data.Read(FileName) is not { } content)
            return null;
        try
        {
            var identity = JsonSerializer.Deserialize<NodeIdentity>(content);
            if (identity is { Current.Certificate: not null } && IdText.Problem(identity.NodeName, parts: 2) is null)
                return identity;
            throw new StorageException($"{FileName} is damaged; restore it from a backup, or enrol anew into an empty directory");
        }
        catch (JsonException fault)
        {
            throw new StorageException($"{FileName} is damaged ({fault.Message}); restore it from a backup, or enrol anew into an empty directory");
        }
    }

    /// <exception cref="StorageException">The disk is full or not writable.</exception>
    public void Save(DataDirectory data) => data.Replace(FileName, JsonSerializer.SerializeToUtf8Bytes(this));
}
