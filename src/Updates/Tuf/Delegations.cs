using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Fleet.Updates.Tuf;

/// <summary>To whom a targets role passes on the right to vouch for files: roles in order of trust, or equal bins.</summary>
public sealed record Delegations(IReadOnlyList<DelegatedRole> Roles, SuccinctRoles? Succinct = null)
{
    /// <summary>The roles that may vouch for the path, in order.</summary>
    public IEnumerable<DelegatedRole> For(string path) => Succinct is null ? Roles.Where(r => r.Covers(path)) : [Succinct.BinOf(path)];
}

/// <param name="Terminating">Nobody after this role (and the ones it delegates to) is asked for a path that it covers.</param>
/// <param name="Paths">Patterns of the paths that it may vouch for; null where <paramref name="HashPrefixes"/> say that.</param>
/// <param name="HashPrefixes">Beginnings of the hexadecimal SHA-256 of such paths.</param>
public sealed record DelegatedRole(
    string Name, Signers Signers, bool Terminating, IReadOnlyList<string>? Paths, IReadOnlyList<string>? HashPrefixes = null)
{
    public bool Covers(string path)
    {
        if (Paths is not null)
            return Paths.Any(p => PathPattern.Matches(p, path));
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)));
        return HashPrefixes!.Any(p => hash.StartsWith(p, StringComparison.Ordinal));
    }
}

/// <summary>2^<paramref name="BitLength"/> roles of the same signers, each for the paths whose hash begins with its number (TAP 15).</summary>
public sealed record SuccinctRoles(Signers Signers, int BitLength, string NamePrefix)
{
    private int Digits => (BitLength + 3) / 4;

    /// <summary>The bin that may vouch for the path: the first bits of its hash.</summary>
    public DelegatedRole BinOf(string path)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(path));
        var bin = BinaryPrimitives.ReadUInt32BigEndian(hash) >> (32 - BitLength);
        return Bin($"{NamePrefix}-{bin.ToString($"x{Digits}", CultureInfo.InvariantCulture)}");
    }

    /// <summary>The bin of that name; null where none is named so.</summary>
    public DelegatedRole? BinNamed(string name)
    {
        var number = name.StartsWith(NamePrefix + "-", StringComparison.Ordinal) ? name[(NamePrefix.Length + 1)..] : "";
        return number.Length == Digits && number.All(char.IsAsciiHexDigitLower)
            && ulong.Parse(number, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) < 1UL << BitLength ? Bin(name) : null;
    }

    private DelegatedRole Bin(string name) => new(name, Signers, Terminating: true, Paths: null, HashPrefixes: [""]);
}

/// <summary>
/// Shell-style patterns of target paths: <c>*</c> stands for any characters but <c>/</c>, <c>?</c> for one of them; everything else for itself,
/// also <c>[</c>, which some clients read as a set of characters.
/// </summary>
public static class PathPattern
{
    public static bool Matches(string pattern, string path)
    {
        // Linear: only the last star is ever tried again, for no earlier one could do better.
        int p = 0, t = 0, star = -1, mark = 0;
        while (t < path.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                mark = t;
            }
            else if (p < pattern.Length && (pattern[p] == path[t] || (pattern[p] == '?' && path[t] != '/')))
            {
                p++;
                t++;
            }
            else if (star >= 0 && path[mark] != '/')
            {
                p = star + 1;
                t = ++mark;
            }
            else
            {
                return false;
            }
        }

        return pattern.AsSpan(p).Trim('*').IsEmpty;
    }
}
