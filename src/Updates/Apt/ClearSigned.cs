using System.Text;

namespace Fleet.Updates.Apt;

/// <summary>
/// Text in the cleartext signature framework (RFC 9580, 7). What was signed is not what lies there: dashes are unescaped and blanks at the ends of
/// lines do not count. Only the text that the signature is about may be read, and nothing may stand before or behind it.
/// </summary>
/// <param name="Text">The text as it was signed, to be read.</param>
/// <param name="Canonical">The same with the line ends that the signature counts.</param>
/// <param name="Signature">The armored signatures.</param>
public sealed record ClearSigned(byte[] Text, byte[] Canonical, byte[] Signature)
{
    private const string Begin = "-----BEGIN PGP SIGNED MESSAGE-----";
    private const string BeginSignature = "-----BEGIN PGP SIGNATURE-----";
    private const string EndSignature = "-----END PGP SIGNATURE-----";

    /// <exception cref="AptException">It is no such text, or more than that.</exception>
    public static ClearSigned Read(ReadOnlySpan<byte> content, string subject)
    {
        // Latin 1 keeps every byte as it is.
        var lines = Encoding.Latin1.GetString(content).Split('\n').Select(line => line.TrimEnd('\r', ' ', '\t')).ToList();
        if (lines[0] != Begin)
            throw Malformed(subject, lines[0].TrimStart().StartsWith('<') ? "it is a web page, not a signed release" : "it does not begin as signed text does");

        var at = 1;
        for (; at < lines.Count && lines[at].Length > 0; at++)
            // Another header could change what the text means.
            if (!lines[at].StartsWith("Hash: ", StringComparison.Ordinal))
                throw Malformed(subject, $"it has a header '{lines[at]}'");

        var text = new List<string>();
        for (at++; at < lines.Count && lines[at] != BeginSignature; at++)
        {
            var line = lines[at];
            if (line.StartsWith("- ", StringComparison.Ordinal))
                line = line[2..];
            else if (line.StartsWith('-'))
                throw Malformed(subject, "a line of it begins with a dash that is not escaped");
            text.Add(line);
        }

        var end = lines.IndexOf(EndSignature, Math.Min(at, lines.Count));
        if (end < 0)
            throw Malformed(subject, "it is cut off");
        if (lines.Skip(end + 1).Any(line => line.Length > 0))
            throw Malformed(subject, "something stands behind its signature");
        return new ClearSigned(Bytes(text, "\n"), Bytes(text, "\r\n"), Bytes(lines[at..(end + 1)], "\n"));
    }

    private static byte[] Bytes(IEnumerable<string> lines, string lineEnd) => Encoding.Latin1.GetBytes(string.Join(lineEnd, lines));

    private static AptException Malformed(string subject, string what) => new(AptFault.Malformed, subject, what);
}
