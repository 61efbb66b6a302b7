using System.Text;
using BenchmarkDotNet.Attributes;
using Fleet.TestSupport;
using Fleet.Updates.Packages;
using Fleet.Updates.Tuf;

namespace Fleet.Micro;

/// <summary>What a device computes to believe a repository: root, timestamp, snapshot and targets, each parsed strictly and its signature verified (Ed25519).</summary>
public class TufBenchmarks
{
    /// <summary>Packages that the repository lists.</summary>
    public const int Listed = 100;

    private readonly DateTimeOffset _now = DateTimeOffset.UtcNow;
    private readonly byte[] _root;
    private readonly byte[] _timestamp;
    private readonly byte[] _snapshot;
    private readonly byte[] _targets;

    public TufBenchmarks()
    {
        var folder = Directory.CreateTempSubdirectory("fleet-micro-");
        try
        {
            var repository = new FolderRepository(folder.FullName);
            for (var n = 0; n < Listed; n++)
                repository.Publish($"package-{n}", "1.0.0", InstallKind.Archive, ("file", Encoding.UTF8.GetBytes($"content {n}"))).GetAwaiter().GetResult();
            _root = repository.FirstRoot;
            _timestamp = File.ReadAllBytes(Path.Combine(folder.FullName, "metadata", "timestamp.json"));
            var trusted = TrustedMetadata.From(_root, _now).WithTimestamp(_timestamp);
            _snapshot = File.ReadAllBytes(Path.Combine(folder.FullName, "metadata", $"{trusted.Timestamp!.Snapshot.Version}.snapshot.json"));
            _targets = File.ReadAllBytes(Path.Combine(folder.FullName, "metadata", $"{trusted.WithSnapshot(_snapshot).FileOf(RoleNames.Targets).Version}.targets.json"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>All of it, as a device does after something was published.</summary>
    [Benchmark]
    public TrustedMetadata VerifyAll() => TrustedMetadata.From(_root, _now).WithTimestamp(_timestamp).WithSnapshot(_snapshot).WithTargets(_targets);

    /// <summary>Where nothing was published since.</summary>
    [Benchmark]
    public TrustedMetadata VerifyTimestamp() => TrustedMetadata.From(_root, _now).WithTimestamp(_timestamp);
}
