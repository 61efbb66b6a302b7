using Fleet.Contracts.Agents;
using Fleet.Contracts.Storage;
using Fleet.Device.Storage;
using Fleet.Device.Storage.Files;
using Fleet.Device.Sync;
using Google.Protobuf;

namespace Fleet.Device.Updates;

/// <summary>What headquarters wants to be on the device, and how far that is. Immutable; kept in <c>updates.bin</c>.</summary>
/// <param name="Root">The repository's root that trust began with; empty: none was seen yet.</param>
/// <param name="Packages">In order of names.</param>
/// <param name="Vendors">Who says what is genuine; in order of names.</param>
public sealed record UpdateState(ByteString Root, IReadOnlyList<PackageState> Packages, IReadOnlyList<PinnedVendor> Vendors)
{
    private const string FileName = "updates.bin";

    public static UpdateState None { get; } = new(ByteString.Empty, [], []);

    /// <summary>The state after headquarters said what it wants. The first root stays: later ones come by TUF's own rotation, or not at all.</summary>
    public UpdateState Take(DesiredDocument desired, DateTimeOffset now) => Take(desired, now, out _);

    /// <inheritdoc cref="Take(DesiredDocument, DateTimeOffset)"/>
    /// <param name="notes">What headquarters said of vendors that belongs into the device's history; each once.</param>
    public UpdateState Take(DesiredDocument desired, DateTimeOffset now, out IReadOnlyList<Note> notes)
    {
        (var vendors, notes) = PinnedVendor.Take(Vendors, desired.Vendors);
        var wanted = desired.Packages.GroupBy(p => p.Name).ToDictionary(g => g.Key, g => g.First());
        var packages = Packages.Select(p => p.Want(wanted.GetValueOrDefault(p.Name), now)).Where(p => p.Wanted is not null || p.InstalledVersion.Length > 0)
            .Concat(wanted.Values.Where(w => Packages.All(p => p.Name != w.Name)).Select(w => new PackageState(w.Name).Want(w, now)))
            .OrderBy(p => p.Name, StringComparer.Ordinal).ToList();
        var root = Root.IsEmpty ? desired.UpdateRoot : Root;
        return root == Root && packages.SequenceEqual(Packages) && ReferenceEquals(vendors, Vendors) ? this : new UpdateState(root, packages, vendors);
    }

    public UpdateState With(PackageState changed) => this with { Packages = [.. Packages.Select(p => p.Name == changed.Name ? changed : p)] };

    /// <summary>The state kept, or a fresh one.</summary>
    /// <exception cref="StorageException">The file is damaged.</exception>
    public static UpdateState Load(IDeviceStorage storage)
    {
        if (storage.Read(FileName) is not { } content)
            return None;
        try
        {
            var file = UpdatesFile.Parser.ParseFrom(content);
            return new UpdateState(file.Root, [.. file.Packages.Select(ToPackage)], [.. file.Vendors.Select(ToVendor)]);
        }
        catch (Exception fault) when (fault is InvalidProtocolBufferException or ArgumentOutOfRangeException)
        {
            throw new StorageException($"{FileName} is damaged ({fault.Message}); restore it from a backup, or delete it, and packages are looked at anew");
        }
    }

    /// <exception cref="StorageException">The disk is full or not writable.</exception>
    public void Save(IDeviceStorage storage) => storage.Replace(FileName, new UpdatesFile { Root = Root, Packages = { Packages.Select(FromPackage) }, Vendors = { Vendors.Select(FromVendor) } }.ToByteArray());

    private static PinnedVendor ToVendor(PinnedVendorFile file) => new(file.Name, file.Root, [.. file.Packages]) { RefusedRoot = file.RefusedRoot, IsDropped = file.Dropped };

    private static PinnedVendorFile FromVendor(PinnedVendor vendor) =>
        new() { Name = vendor.Name, Root = vendor.Root, Packages = { vendor.Packages }, RefusedRoot = vendor.RefusedRoot, Dropped = vendor.IsDropped };

    private static PackageState ToPackage(PackageStateFile file) => new(file.Name)
    {
        Wanted = file.Wanted.IsEmpty ? null : WantedPackage.Parser.ParseFrom(file.Wanted),
        InstalledVersion = file.InstalledVersion,
        InstalledManifest = file.InstalledManifest,
        Step = (PackageStep)file.Step,
        Detail = file.Detail,
        Since = DateTimeOffset.FromUnixTimeMilliseconds(file.SinceMs),
        Attempts = file.Attempts,
        Begun = file.Begun,
    };

    private static PackageStateFile FromPackage(PackageState package) => new()
    {
        Name = package.Name,
        Wanted = package.Wanted?.ToByteString() ?? ByteString.Empty,
        InstalledVersion = package.InstalledVersion,
        InstalledManifest = package.InstalledManifest,
        Step = (int)package.Step,
        Detail = package.Detail,
        SinceMs = package.Since.ToUnixTimeMilliseconds(),
        Attempts = package.Attempts,
        Begun = package.Begun,
    };
}
