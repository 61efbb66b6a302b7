using System.Security.Cryptography;
using Fleet.Contracts;

namespace Fleet.Headquarters.Offices;

/// <summary>Draws ids that nobody else has: 80 random bits, short enough to read out.</summary>
internal static class NewIds
{
    public static DeviceId Device() => new("d-" + Text());

    public static TokenId Token() => new("t-" + Text());

    public static PollId Poll() => new("p-" + Text());

    public static InstallId Install() => new("i-" + Text());

    public static DiscoveredId Discovered() => new("n-" + Text());

    private static string Text() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(10));
}
