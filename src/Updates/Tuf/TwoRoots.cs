namespace Fleet.Updates.Tuf;

/// <summary>
/// Two repositories that have to agree, as in Uptane: a vendor's says what is genuine, the tenant's what these devices may install, and when. Whoever
/// captures the tenant's can invent no software, whoever captures the vendor's can send none that was not approved, and a mirror can do neither.
/// </summary>
public static class TwoRoots
{
    /// <summary>Says why a file may not be installed by what the vendor lists; null: both list the same content.</summary>
    /// <param name="approved">As the tenant lists it.</param>
    /// <param name="genuine">As the vendor lists it; null: it does not.</param>
    public static string? Problem(string vendor, TargetFile approved, TargetFile? genuine) => genuine switch
    {
        null => $"vendor {vendor} does not list {approved.Path}",
        _ when approved.Length != genuine.Length || !approved.Hashes.Agree(genuine.Hashes) => $"vendor {vendor} lists another hash for {approved.Path}",
        _ => null,
    };
}
