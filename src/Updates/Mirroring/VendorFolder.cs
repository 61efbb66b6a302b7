using System.Security.Cryptography;

namespace Fleet.Updates.Mirroring;

/// <summary>The folder of what is trusted of a vendor: by its first root too, so that what was trusted under another has no say.</summary>
public static class VendorFolder
{
    private const int RootDigits = 16;

    public static string Of(string vendor, ReadOnlySpan<byte> firstRoot) => $"{vendor}.{Convert.ToHexStringLower(SHA256.HashData(firstRoot))[..RootDigits]}";
}
