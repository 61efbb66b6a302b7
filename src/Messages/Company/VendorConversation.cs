using MessagePack;

namespace Fleet.Messages.Company;

// Which vendors say what is genuine; they stand in the book of updates.

/// <summary>Adds the vendor, or changes patterns and source of the one of that name; its first root never changes.</summary>
[MessagePackObject]
public sealed record PutVendor([property: Key(0)] Vendor Vendor, [property: Key(1)] string By) : ICompanyCommand;

/// <summary>Names the vendor no more; devices that saw it hold on to it.</summary>
[MessagePackObject]
public sealed record RemoveVendor([property: Key(0)] string Name, [property: Key(1)] string By) : ICompanyCommand;
