using Fleet.Contracts;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Serialization;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Mapping;
using MessagePack;

namespace Fleet.Headquarters.ReadModel;

[Table("download_tasks")]
internal sealed class DownloadTaskRow
{
    [Column("name", CanBeNull = false), PrimaryKey] public string Name { get; set; } = "";
    /// <summary>A DownloadTask as the journal's MessagePack.</summary>
    [Column("task"), NotNull] public byte[] Task { get; set; } = [];
}

/// <summary>Shows the tasks that make distribution points download.</summary>
public sealed class DownloadQueries(ReadModelStore store)
{
    public async Task<Page<DownloadTask>> Tasks(PageRequest page)
    {
        await using var db = store.Open();
        var found = await db.DownloadTasks.OrderBy(t => t.Name).Paged(page).ToListAsync();
        return new Page<DownloadTask>([.. found.Select(Read)], await db.DownloadTasks.CountAsync());
    }

    public async Task<DownloadTask?> Task(string name)
    {
        await using var db = store.Open();
        return await db.DownloadTasks.FirstOrDefaultAsync(t => t.Name == name) is { } row ? Read(row) : null;
    }

    /// <summary>All names, to say what a mistyped one may have meant.</summary>
    public async Task<IReadOnlyList<string>> Names()
    {
        await using var db = store.Open();
        return await db.DownloadTasks.Select(t => t.Name).ToListAsync();
    }

    /// <summary>How far these distribution points are, and when they said so; none that has not counted yet.</summary>
    public async Task<IReadOnlyDictionary<NodeId, (MirrorProgress Progress, DateTimeOffset At)>> Progress(IEnumerable<NodeId> nodes)
    {
        await using var db = store.Open();
        var ids = nodes.Select(n => n.Value).ToList();
        var rows = await db.ContentStores.Where(s => ids.Contains(s.NodeId)).ToListAsync();
        return rows.ToDictionary(s => new NodeId(s.NodeId), s => (new MirrorProgress(s.Here, s.Total, s.Rate), s.At));
    }

    /// <summary>Writes what the book of updates has.</summary>
    internal static void Put(ReadModelConnection db, IReadOnlyList<DownloadTask> tasks)
    {
        db.DownloadTasks.Delete();
        foreach (var task in tasks)
            db.Insert(new DownloadTaskRow { Name = task.Name, Task = MessagePackSerializer.Serialize(task, Codec.Options) });
    }

    private static DownloadTask Read(DownloadTaskRow row) => MessagePackSerializer.Deserialize<DownloadTask>(row.Task, Codec.Options);
}
