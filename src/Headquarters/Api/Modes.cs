using Fleet.Headquarters.Policies;

namespace Fleet.Headquarters.Api;

/// <summary>Reads how a node or a device is to connect.</summary>
internal static class Modes
{
    /// <param name="always">Null: as policies say.</param>
    public static Refusal? Read(string? mode, out bool? always)
    {
        always = mode switch { PolicySettings.Always => true, PolicySettings.Periodic => false, _ => null };
        return mode is null || always is not null ? null : Refusal.Invalid($"mode must be {PolicySettings.Always}, {PolicySettings.Periodic} or absent, not '{mode}'");
    }
}
