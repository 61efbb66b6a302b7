using System.Security.Cryptography;

namespace Fleet.Updates.Tuf;

/// <summary>
/// Hashes of a file as metadata lists them, by algorithm, in hexadecimal. Those of unknown algorithms say nothing; of the known ones there must be
/// one, and all must match.
/// </summary>
public sealed record ContentHashes(IReadOnlyDictionary<string, string> ByAlgorithm)
{
    public const string Sha256 = "sha256";
    public const string Sha512 = "sha512";

    private static readonly Dictionary<string, HashAlgorithmName> Known = new()
    {
        [Sha256] = HashAlgorithmName.SHA256,
        [Sha512] = HashAlgorithmName.SHA512,
    };

    /// <summary>The hash that names the file (file names of consistent snapshots, names on disk): the first known one. Null where none is known.</summary>
    public string? Naming => ByAlgorithm.GetValueOrDefault(Sha256) ?? ByAlgorithm.GetValueOrDefault(Sha512);

    public static ContentHashes Of(ReadOnlySpan<byte> content) => OfSha256(SHA256.HashData(content));

    public static ContentHashes OfSha256(ReadOnlySpan<byte> hash) => new(new Dictionary<string, string> { [Sha256] = Convert.ToHexStringLower(hash) });

    /// <summary>Whether both are of one content: a known algorithm is common, and no common one differs.</summary>
    public bool Agree(ContentHashes other)
    {
        var common = Known.Where(a => ByAlgorithm.ContainsKey(a.Key) && other.ByAlgorithm.ContainsKey(a.Key)).Select(a => a.Key).ToList();
        return common.Count > 0 && common.All(a => ByAlgorithm[a].Equals(other.ByAlgorithm[a], StringComparison.OrdinalIgnoreCase));
    }

    public bool Match(ReadOnlySpan<byte> content)
    {
        using var running = Start();
        running.Append(content);
        return running.Match();
    }

    public Running Start() => new(this);

    /// <summary>The hashes of bytes that come piece by piece.</summary>
    public sealed class Running : IDisposable
    {
        private readonly List<(IncrementalHash Hash, string Expected)> _hashes = [];

        internal Running(ContentHashes expected)
        {
            foreach (var (name, algorithm) in Known)
                if (expected.ByAlgorithm.TryGetValue(name, out var hex))
                    _hashes.Add((IncrementalHash.CreateHash(algorithm), hex));
        }

        public void Append(ReadOnlySpan<byte> piece)
        {
            foreach (var (hash, _) in _hashes)
                hash.AppendData(piece);
        }

        /// <summary>Whether all bytes since the start or the last call of this are the expected ones.</summary>
        public bool Match()
        {
            var matching = _hashes.Count(h => Convert.ToHexString(h.Hash.GetHashAndReset()).Equals(h.Expected, StringComparison.OrdinalIgnoreCase));
            return matching == _hashes.Count && matching > 0;
        }

        public void Dispose()
        {
            foreach (var (hash, _) in _hashes)
                hash.Dispose();
        }
    }
}
