using System.Net;
using System.Net.Sockets;
using Fleet.Messages.Link;

namespace Fleet.Messages.Networks;

/// <summary>The ranges of one poll, checked: what is wrong is told with what to do, and nothing of a wrong list is polled.</summary>
public static class RangeList
{
    /// <summary>Addresses of a /8: a poll keeps a bit for each, and takes nine hours for one.</summary>
    public const ulong MaxForced = 1 << 24;

    /// <summary>Ranges of one poll.</summary>
    public const int MaxRanges = 256;

    /// <summary>Reads ranges as an administrator wrote them.</summary>
    /// <param name="problems">Every mistake; empty: the ranges are good.</param>
    public static IReadOnlyList<AddressRange> Read(IReadOnlyList<string> texts, bool force, out IReadOnlyList<string> problems)
    {
        var wrong = new List<string>();
        var ranges = new List<AddressRange>();
        if (texts.Count > MaxRanges)
            wrong.Add($"{texts.Count} ranges are too many for one poll; {MaxRanges} are the most");
        foreach (var text in texts.Take(MaxRanges))
            try
            {
                var range = AddressRange.Parse(text.Trim());
                if (!IsUnicast(range.First) || !IsUnicast(range.Last))
                    wrong.Add($"{text} holds addresses that are no machine's (multicast, loopback or unspecified)");
                foreach (var other in ranges.Where(range.Overlaps))
                    wrong.Add($"{range} overlaps {other}: leave out one, or join them");
                ranges.Add(range);
            }
            catch (FormatException fault)
            {
                wrong.Add(fault.Message);
            }

        if (TooMany(ranges, force) is { } tooMany)
            wrong.Add(tooMany);
        problems = wrong;
        return ranges;
    }

    /// <summary>Why these are too many addresses for one poll; null: they are not.</summary>
    public static string? TooMany(IReadOnlyList<AddressRange> ranges, bool force)
    {
        var count = ranges.Aggregate((UInt128)0, (sum, range) => sum + range.Count);
        return count <= Polls.MostAddresses || (force && count <= MaxForced) ? null
            : force ? $"{count} addresses are over a /8 ({MaxForced}): split the poll"
            : $"{count} addresses are over a /16 ({Polls.MostAddresses}): poll less, or use --force";
    }

    /// <summary>Joins what overlaps: the networks of a machine with two cards in one LAN are one network.</summary>
    public static IReadOnlyList<AddressRange> Merged(IEnumerable<AddressRange> ranges)
    {
        var merged = new List<AddressRange>();
        foreach (var range in ranges.OrderBy(r => r.IsIPv6).ThenBy(r => AddressRange.ValueOf(r.First)))
            if (merged.Count > 0 && merged[^1].Overlaps(range))
                merged[^1] = merged[^1].With(range);
            else
                merged.Add(range);
        return merged;
    }

    private static bool IsUnicast(IPAddress address) => !IPAddress.IsLoopback(address) && (address.AddressFamily == AddressFamily.InterNetworkV6
        ? !address.IsIPv6Multicast && !address.Equals(IPAddress.IPv6Any)
        : address.GetAddressBytes()[0] is > 0 and < 224);
}
