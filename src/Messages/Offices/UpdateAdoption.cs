using Fleet.Contracts;
using Fleet.Messages.Company;
using MessagePack;

namespace Fleet.Messages.Offices;

// The book of updates as an office twin hears of it.

/// <summary>The company's book of updates as it is now. Answer: <see cref="UpdateBookAdopted"/>.</summary>
[MessagePackObject]
public sealed record AdoptUpdateBook([property: Key(0)] OfficeId OfficeId, [property: Key(1)] UpdateBook Book) : IOfficeCommand;

[MessagePackObject]
public sealed record UpdateBookAdopted([property: Key(0)] OfficeId OfficeId, [property: Key(1)] ulong Version);

[MessagePackObject]
public sealed record OfficeUpdatesAdopted([property: Key(0)] OfficeId OfficeId, [property: Key(1)] UpdateBook Book, [property: Key(2)] DateTimeOffset At) : IOfficeEvent;
