using Fleet.Headquarters.Updates;
using Fleet.Messages.Link;
using Fleet.Messages.Serialization;
using LinqToDB;
using LinqToDB.Mapping;
using MessagePack;

namespace Fleet.Headquarters.ReadModel;

/// <summary>What went through a distribution point of one version of a package. Written as nodes count, not from the journal.</summary>
[Table("content_counts")]
internal sealed class ContentCountRow
{
    [Column("node_id", CanBeNull = false), PrimaryKey(1)] public string NodeId { get; set; } = "";
    [Column("package", CanBeNull = false), PrimaryKey(2)] public string Package { get; set; } = "";
    [Column("package_version", CanBeNull = false), PrimaryKey(3)] public string PackageVersion { get; set; } = "";
    [Column("office_id"), NotNull] public string OfficeId { get; set; } = "";
    [Column("since")] public DateTimeOffset Since { get; set; }
    [Column("at")] public DateTimeOffset At { get; set; }
    /// <summary>An UpdateCount as the wire's MessagePack.</summary>
    [Column("counts"), NotNull] public byte[] Counts { get; set; } = [];
}

/// <summary>How full a distribution point is, and how far with what it is to mirror.</summary>
[Table("content_stores")]
internal sealed class ContentStoreRow
{
    [Column("node_id", CanBeNull = false), PrimaryKey] public string NodeId { get; set; } = "";
    [Column("used")] public long Used { get; set; }
    [Column("quota")] public long Quota { get; set; }
    [Column("here")] public long Here { get; set; }
    [Column("total")] public long Total { get; set; }
    [Column("rate")] public long Rate { get; set; }
    [Column("at")] public DateTimeOffset At { get; set; }
}

internal static class ContentRows
{
    /// <summary>A node says all that it counts at once.</summary>
    public static void Write(ReadModelConnection db, ContentCounted counted)
    {
        var (node, counts) = (counted.NodeId.Value, counted.Counts);
        db.ContentCounts.Delete(c => c.NodeId == node);
        foreach (var update in counts.Updates.DistinctBy(u => (u.Package, u.PackageVersion)))
            db.Insert(new ContentCountRow
            {
                NodeId = node, Package = update.Package, PackageVersion = update.PackageVersion, OfficeId = counted.NodeId.Office.Value, Since = counts.Since, At = counted.At,
                Counts = MessagePackSerializer.Serialize(update, Codec.Options),
            });
        var progress = counts.Progress ?? new MirrorProgress(0, 0, 0);
        db.InsertOrReplace(new ContentStoreRow { NodeId = node, Used = counts.Used, Quota = counts.Quota, Here = progress.Here, Total = progress.Total, Rate = progress.BytesPerSecond, At = counted.At });
    }

    public static void Forget(ReadModelConnection db, string node)
    {
        db.ContentCounts.Delete(c => c.NodeId == node);
        db.ContentStores.Delete(c => c.NodeId == node);
    }

    public static UpdateCount Read(ContentCountRow row) => MessagePackSerializer.Deserialize<UpdateCount>(row.Counts, Codec.Options);
}
