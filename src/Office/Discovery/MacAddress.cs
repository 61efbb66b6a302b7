using System.Globalization;
using System.Net.NetworkInformation;

namespace Fleet.Office.Discovery;

/// <summary>A network card's address, 48 bits. <c>default</c> is no card's: <see cref="IsCard"/> tells.</summary>
public readonly record struct MacAddress(ulong Value)
{
    public const int Length = 6;

    /// <summary>Whether it can be one card's: neither empty nor for groups.</summary>
    public bool IsCard => Value is not 0 and < 1UL << 48 && (Value >> 40 & 1) == 0;

    /// <param name="bytes">At least <see cref="Length"/> of them.</param>
    public static MacAddress From(ReadOnlySpan<byte> bytes)
    {
        var value = 0UL;
        foreach (var part in bytes[..Length])
            value = value << 8 | part;
        return new MacAddress(value);
    }

    /// <summary>In any of the usual ways of writing; null: it is none, or no card's.</summary>
    public static MacAddress? Parse(string text) =>
        PhysicalAddress.TryParse(text, out var card) && card.GetAddressBytes() is { Length: Length } bytes && From(bytes) is { IsCard: true } mac ? mac : null;

    /// <summary>The card's of an interface; null where it has none (tunnels).</summary>
    public static MacAddress? Of(NetworkInterface card) =>
        card.GetPhysicalAddress().GetAddressBytes() is { Length: Length } bytes && From(bytes) is { IsCard: true } mac ? mac : null;

    public void CopyTo(Span<byte> bytes)
    {
        for (var i = 0; i < Length; i++)
            bytes[i] = (byte)(Value >> (8 * (Length - 1 - i)));
    }

    /// <summary><c>00:1b:63:84:45:e6</c>.</summary>
    public override string ToString()
    {
        var value = Value;
        return string.Join(':', Enumerable.Range(0, Length).Select(i => ((byte)(value >> (8 * (Length - 1 - i)))).ToString("x2", CultureInfo.InvariantCulture)));
    }
}
