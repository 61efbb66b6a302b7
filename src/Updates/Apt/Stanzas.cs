using System.Text;

namespace Fleet.Updates.Apt;

/// <summary>Reads control data (Debian policy, 5.1): stanzas of fields, a line that begins with a blank going on with the field before it.</summary>
public static class Stanzas
{
    // The longest fields are lists of dependencies and files; a line of a megabyte is no package's.
    private const int MaxLine = 1 << 20;
    // What unpacks to more than this was made to fill memory.
    private const long MaxText = 1L << 30;
    private const int BufferSize = 1 << 16;

    /// <param name="wanted">Fields to keep; others are passed over unread, as most of a long list is. Null: all.</param>
    /// <exception cref="AptException">It is no such text.</exception>
    public static IEnumerable<IReadOnlyDictionary<string, string>> Read(Stream text, string subject, IReadOnlySet<string>? wanted = null)
    {
        using var reader = new StreamReader(text, new UTF8Encoding(false, throwOnInvalidBytes: false), detectEncodingFromByteOrderMarks: false, BufferSize, leaveOpen: true);
        var stanza = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        string? field = null;
        var any = false;
        var total = 0L;
        for (var number = 1; reader.ReadLine() is { } line; number++)
        {
            if (line.Length > MaxLine || (total += line.Length) > MaxText)
                throw Malformed(subject, number, "the text is too long");
            if (string.IsNullOrWhiteSpace(line))
            {
                if (any)
                    yield return stanza;
                (stanza, field, any) = (new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase), null, false);
            }
            else if (line[0] is ' ' or '\t')
            {
                if (!any)
                    throw Malformed(subject, number, "a line goes on with no field before it");
                if (field is not null)
                    stanza[field] += "\n" + line.Trim();
            }
            else
            {
                if (line.IndexOf(':') is not > 0 and var colon)
                    throw Malformed(subject, number, "there is no field");
                var name = line[..line.IndexOf(':')];
                any = true;
                field = wanted is null || wanted.Contains(name) ? name : null;
                if (field is not null && !stanza.TryAdd(field, line[(name.Length + 1)..].Trim()))
                    throw Malformed(subject, number, $"there are two fields {field}");
            }
        }

        if (any)
            yield return stanza;
    }

    private static AptException Malformed(string subject, int line, string what) => new(AptFault.Malformed, subject, $"line {line}: {what}");
}
