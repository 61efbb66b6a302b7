using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fleet.Device.Installs;

/// <summary>What is known of one package of kind <c>archive</c> on this device; kept beside its files, and true again after each step.</summary>
/// <param name="Current">The version that programs find; null: none is installed.</param>
/// <param name="Previous">The one before, whose files are kept; null: none.</param>
/// <param name="Pending">What is under way; null: nothing.</param>
/// <param name="Refused">The version that was tried last and failed; it is not tried again until another is wanted.</param>
public sealed record ArchiveState(string? Current, string? Previous, PendingArchive? Pending, RefusedArchive? Refused)
{
    public static ArchiveState None { get; } = new(null, null, null, null);

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, ArchiveJson.Default.ArchiveState);

    /// <exception cref="JsonException">Damaged.</exception>
    public static ArchiveState Read(ReadOnlySpan<byte> bytes) => JsonSerializer.Deserialize(bytes, ArchiveJson.Default.ArchiveState) ?? None;
}

/// <param name="Step">What is to be done next.</param>
/// <param name="Checks">How often the check of its health was begun: one that takes the machine down with it is not begun for ever.</param>
public sealed record PendingArchive(string Version, ArchiveStep Step, int Checks);

/// <param name="Why">For people.</param>
public sealed record RefusedArchive(string Version, string Why);

/// <summary>Numbers are on the disk.</summary>
public enum ArchiveStep
{
    /// <summary>Its files are put beside the old ones.</summary>
    Unpack = 1,

    /// <summary>Programs find it instead of the old one.</summary>
    Switch = 2,

    /// <summary>It has to show that it works.</summary>
    Check = 3,

    /// <summary>It does not: programs find the old one again.</summary>
    Return = 4,

    /// <summary>What nobody needs any more goes.</summary>
    Clean = 5,
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ArchiveState))]
internal sealed partial class ArchiveJson : JsonSerializerContext;
