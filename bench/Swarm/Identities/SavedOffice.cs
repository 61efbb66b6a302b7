using Fleet.Contracts.Storage;
using Fleet.Messages.Link;
using MessagePack;

namespace Fleet.Swarm.Identities;

/// <summary>What is kept of a simulated office: who its node and its devices are, and what they have applied. One file an office.</summary>
/// <param name="Node">The node's id.</param>
/// <param name="NodeKey">PKCS#8; its own device has the same key.</param>
/// <param name="Certificate">The node's, DER.</param>
/// <param name="Authority">Headquarters' CA, DER.</param>
/// <param name="HeadquartersKey">For envelopes, SubjectPublicKeyInfo DER.</param>
/// <param name="Applied">Version of what the node was last told to be.</param>
/// <param name="Roles">The roles in it; null in files from before they were kept.</param>
[MessagePackObject]
public sealed record SavedOffice(
    [property: Key(0)] string Node,
    [property: Key(1)] byte[] NodeKey,
    [property: Key(2)] byte[] Certificate,
    [property: Key(3)] byte[] Authority,
    [property: Key(4)] byte[] HeadquartersKey,
    [property: Key(5)] IReadOnlyList<SavedDevice> Devices,
    [property: Key(6)] ulong Applied = 0,
    [property: Key(7)] IReadOnlyList<NodeRole>? Roles = null);

/// <param name="Name">The machine's name; all that is made up of it follows from this.</param>
/// <param name="Key">PKCS#8.</param>
/// <param name="Applied">Version of the desired document that it runs.</param>
/// <param name="KeepsLine">That document wants it always connected.</param>
/// <param name="Reported">Version of its newest report.</param>
/// <param name="Settings">What runs on it by that document.</param>
[MessagePackObject]
public sealed record SavedDevice(
    [property: Key(0)] string Id,
    [property: Key(1)] string Name,
    [property: Key(2)] byte[] Key,
    [property: Key(3)] ulong Applied,
    [property: Key(4)] bool KeepsLine,
    [property: Key(5)] ulong Reported,
    [property: Key(6)] IReadOnlyDictionary<string, string> Settings);

/// <summary>The folder of a swarm's identities: enrolled once, they serve every later run on the same headquarters.</summary>
/// <param name="folder">Made where it is missing; secret, since it holds keys.</param>
public sealed class IdentityFolder(string folder)
{
    /// <summary>An office that was enrolled before; null: none.</summary>
    /// <exception cref="StorageException">Its file can't be read.</exception>
    public SavedOffice? Load(string office)
    {
        try
        {
            var file = FileOf(office);
            return File.Exists(file) ? MessagePackSerializer.Deserialize<SavedOffice>(File.ReadAllBytes(file)) : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or MessagePackSerializationException)
        {
            throw new StorageException($"{FileOf(office)} can't be read ({fault.Message}); delete it, and the office is enrolled anew");
        }
    }

    /// <exception cref="StorageException">The disk is full or not writable.</exception>
    public void Save(string office, SavedOffice saved)
    {
        try
        {
            Directory.CreateDirectory(folder);
            DurableFile.Replace(FileOf(office), MessagePackSerializer.Serialize(saved));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"{folder} can't be written: {fault.Message}");
        }
    }

    private string FileOf(string office) => Path.Combine(folder, office + ".identities");
}
