using Fleet.Contracts.Storage;
using Fleet.Messages.Link;
using Fleet.Messages.Serialization;
using Fleet.Office.Monitoring;
using Fleet.Updates.Apt;
using Fleet.Updates.Content;
using Fleet.Updates.Fetching;
using Fleet.Updates.Mirroring;
using MessagePack;

namespace Fleet.Office.DistributionPoint;

/// <summary>
/// Counts what goes through a distribution point, by version of a package, since it began (<c>counts.bin</c>; what was counted since it was last saved goes
/// with a killed process). Thread-safe.
/// </summary>
internal sealed class ContentCounter
{
    private readonly string _file;
    private readonly Func<BlobHash, ListedContent?> _find;
    private readonly OfficeMeter? _meter;
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Name, string Version), UpdateCount> _counts;
    private readonly HashSet<BlobHash> _damaged = [];
    private readonly DateTimeOffset _since;
    private bool _changed = true;
    private long _came;
    private (long Came, DateTimeOffset At) _before;

    /// <param name="find">Which package content is of; null: of none that is known.</param>
    public ContentCounter(string file, Func<BlobHash, ListedContent?> find, DateTimeOffset now, OfficeMeter? meter = null)
    {
        (_file, _find, _meter) = (file, find, meter);
        var kept = Load(file);
        _since = kept?.Since ?? now;
        _before = (0, now);
        _counts = (kept?.Updates ?? []).ToDictionary(u => (u.Package, u.PackageVersion));
    }

    public void Came(IBlobSource source, BlobHash hash, int bytes)
    {
        _meter?.ContentCame(bytes, source is PeerBlobSource);
        lock (_lock)
        {
            _came += _find(hash) is null ? 0 : bytes;
            if (_damaged.Contains(hash))
                Count(hash, c => c with { Healed = c.Healed + bytes });
            Count(hash, c => source is PeerBlobSource
                ? c with { FromPeers = c.FromPeers + bytes }
                : c with { FromSources = new Dictionary<string, long>(c.FromSources) { [source.Name] = c.FromSources.GetValueOrDefault(source.Name) + bytes } });
        }
    }

    /// <summary>Bytes of an APT repository, counted as a package <c>apt:NAME</c>.</summary>
    public void Passed(AptTraffic traffic)
    {
        _meter?.ContentCame(traffic.FromUpstream, fromPeer: false);
        _meter?.ContentSent(traffic.Served);
        lock (_lock)
            Count($"apt:{traffic.Repository}", "", c => c with
            {
                FromSources = traffic.FromUpstream == 0 ? c.FromSources : new Dictionary<string, long>(c.FromSources) { [traffic.Host] = c.FromSources.GetValueOrDefault(traffic.Host) + traffic.FromUpstream },
                ToDevices = c.ToDevices + traffic.Served,
                FromCache = c.FromCache + (traffic.Hit ? traffic.Served : 0),
            });
    }

    public void Served(BlobHash hash, long bytes, bool fromCache)
    {
        _meter?.ContentSent(bytes);
        lock (_lock)
            Count(hash, c => c with { ToDevices = c.ToDevices + bytes, FromCache = c.FromCache + (fromCache ? bytes : 0) });
    }

    /// <summary>Bytes that did not have to come, because a delta did.</summary>
    public void Saved(BlobHash hash, long bytes)
    {
        lock (_lock)
            Count(hash, c => c with { DeltaSaved = c.DeltaSaved + bytes });
    }

    /// <summary>What is brought of it from now on is healing.</summary>
    public void Damaged(BlobHash hash)
    {
        lock (_lock)
            _damaged.Add(hash);
    }

    public void Whole(BlobHash hash)
    {
        lock (_lock)
        {
            _damaged.Remove(hash);
            _changed = true;
        }
    }

    /// <summary>The counts are told again, changed or not.</summary>
    public void Again()
    {
        lock (_lock)
            _changed = true;
    }

    /// <summary>The counts, if they changed since they were last taken; they are saved too.</summary>
    /// <param name="here">Bytes of a package that are here, and of all of it.</param>
    /// <param name="have">The same of all that is to be mirrored.</param>
    /// <exception cref="StorageException">They can't be saved.</exception>
    public ContentCounts? TakeChanged(BlobStore store, Func<(string Name, string Version), (long Here, long Total)> here, Func<(long Here, long Total)> have, DateTimeOffset now)
    {
        ContentCounts counts;
        long rate;
        lock (_lock)
        {
            rate = now > _before.At ? (long)((_came - _before.Came) / (now - _before.At).TotalSeconds) : 0;
            _before = (_came, now);
            if (!_changed)
                return null;
            // Once more when nothing comes any more, to say so.
            _changed = rate > 0;
            counts = new ContentCounts(_since, [.. _counts.Values.OrderByDescending(c => c.ToDevices + c.FromPeers + c.FromSources.Values.Sum()).Take(ContentCounts.MaxUpdates)], store.Used, store.Quota);
        }

        var (had, all) = have();
        counts = counts with { Progress = new MirrorProgress(had, all, rate), Updates = [.. counts.Updates.Select(u => here((u.Package, u.PackageVersion)) is var (h, t) && t > 0 ? u with { Here = h, Total = t } : u)] };
        DurableFile.Replace(_file, MessagePackSerializer.Serialize(counts, Codec.Options));
        return counts;
    }

    private static ContentCounts? Load(string file)
    {
        try
        {
            return File.Exists(file) ? MessagePackSerializer.Deserialize<ContentCounts>(File.ReadAllBytes(file), Codec.Options) : null;
        }
        catch (MessagePackSerializationException)
        {
            // Counting begins anew; headquarters sees it by the time of the beginning.
            return null;
        }
    }

    // Content that no package is known to have is somebody else's to count.
    private void Count(BlobHash hash, Func<UpdateCount, UpdateCount> change)
    {
        if (_find(hash)?.Package is { } package)
            Count(package.Name, package.Version, change);
    }

    private void Count(string package, string version, Func<UpdateCount, UpdateCount> change)
    {
        _counts[(package, version)] = change(_counts.GetValueOrDefault((package, version)) ?? new UpdateCount(package, version, 0, 0, new Dictionary<string, long>(), 0, 0, 0, 0, 0));
        _changed = true;
    }
}
