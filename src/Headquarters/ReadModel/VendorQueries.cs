using Fleet.Messages.Company;
using Fleet.Messages.Serialization;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Mapping;
using MessagePack;

namespace Fleet.Headquarters.ReadModel;

[Table("vendors")]
internal sealed class VendorRow
{
    [Column("name", CanBeNull = false), PrimaryKey] public string Name { get; set; } = "";
    /// <summary>A Vendor as the journal's MessagePack.</summary>
    [Column("vendor"), NotNull] public byte[] Vendor { get; set; } = [];
}

/// <summary>Shows which vendors say what is genuine. A company has few.</summary>
public sealed class VendorQueries(ReadModelStore store)
{
    /// <summary>All of them, in order of names.</summary>
    public async Task<IReadOnlyList<Vendor>> All()
    {
        await using var db = store.Open();
        return [.. (await db.Vendors.OrderBy(v => v.Name).ToListAsync()).Select(Read)];
    }

    public async Task<Vendor?> Vendor(string name)
    {
        await using var db = store.Open();
        return await db.Vendors.FirstOrDefaultAsync(v => v.Name == name) is { } row ? Read(row) : null;
    }

    /// <summary>Writes what the book of updates has.</summary>
    internal static void Put(ReadModelConnection db, IReadOnlyList<Vendor> vendors)
    {
        db.Vendors.Delete();
        foreach (var vendor in vendors)
            db.Insert(new VendorRow { Name = vendor.Name, Vendor = MessagePackSerializer.Serialize(vendor, Codec.Options) });
    }

    private static Vendor Read(VendorRow row) => MessagePackSerializer.Deserialize<Vendor>(row.Vendor, Codec.Options);
}
