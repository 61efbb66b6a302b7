namespace Fleet.Updates.Tuf.Client;

/// <summary>
/// Two repositories that have to agree, as in Uptane: the vendor's says what is genuine, the tenant's what these devices may install, and when. Whoever
/// captures the tenant's can invent no software, whoever captures the vendor's can send none that was not approved, and a mirror can do neither.
/// </summary>
public sealed class TwoRootClient(TufClient vendor, TufClient tenant)
{
    /// <inheritdoc cref="TufClient.RefreshAsync"/>
    public async Task RefreshAsync(DateTimeOffset now, long leastTenantTimestamp = 0, CancellationToken stop = default)
    {
        await tenant.RefreshAsync(now, leastTenantTimestamp, stop).ConfigureAwait(false);
        await vendor.RefreshAsync(now, stop: stop).ConfigureAwait(false);
    }

    /// <summary>The file as the tenant lists it (its custom data rule), if the vendor lists the same content; null where one of them has none.</summary>
    /// <exception cref="TufException"><see cref="TufFault.Mismatch"/>: they list different content.</exception>
    public async Task<TargetFile?> FindAsync(string path, CancellationToken stop = default)
    {
        if (await tenant.FindAsync(path, stop).ConfigureAwait(false) is not { } approved
            || await vendor.FindAsync(path, stop).ConfigureAwait(false) is not { } genuine)
            return null;
        return approved.Length == genuine.Length && approved.Hashes.Agree(genuine.Hashes)
            ? approved
            : throw new TufException(TufFault.Mismatch, path, "vendor and tenant list different content");
    }
}
