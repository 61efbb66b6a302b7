using Fleet.Messages.Company;
using Fleet.Messages.Serialization;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Mapping;
using MessagePack;

namespace Fleet.Headquarters.ReadModel;

[Table("apt_repositories")]
internal sealed class AptRow
{
    [Column("name", CanBeNull = false), PrimaryKey] public string Name { get; set; } = "";
    /// <summary>An AptRepository as the journal's MessagePack.</summary>
    [Column("repository"), NotNull] public byte[] Repository { get; set; } = [];
}

/// <summary>Shows which APT repositories distribution points pass on.</summary>
public sealed class AptQueries(ReadModelStore store)
{
    public async Task<Page<AptRepository>> Repositories(PageRequest page)
    {
        await using var db = store.Open();
        var found = await db.Apt.OrderBy(r => r.Name).Paged(page).ToListAsync();
        return new Page<AptRepository>([.. found.Select(Read)], await db.Apt.CountAsync());
    }

    public async Task<AptRepository?> Repository(string name)
    {
        await using var db = store.Open();
        return await db.Apt.FirstOrDefaultAsync(r => r.Name == name) is { } row ? Read(row) : null;
    }

    /// <summary>All names, to say what a mistyped one may have meant.</summary>
    public async Task<IReadOnlyList<string>> Names()
    {
        await using var db = store.Open();
        return await db.Apt.Select(r => r.Name).ToListAsync();
    }

    /// <summary>Writes what the book of updates has.</summary>
    internal static void Put(ReadModelConnection db, IReadOnlyList<AptRepository> repositories)
    {
        db.Apt.Delete();
        foreach (var repository in repositories)
            db.Insert(new AptRow { Name = repository.Name, Repository = MessagePackSerializer.Serialize(repository, Codec.Options) });
    }

    private static AptRepository Read(AptRow row) => MessagePackSerializer.Deserialize<AptRepository>(row.Repository, Codec.Options);
}
