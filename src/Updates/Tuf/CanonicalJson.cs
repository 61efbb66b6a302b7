using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Fleet.Updates.Tuf;

/// <summary>
/// OLPC canonical JSON, the bytes that TUF signs (specification 1.0.34, 4.2; not RFC 8785): no white space, names sorted by code point, only
/// <c>"</c> and <c>\</c> escaped, so that control characters stand as they are.
/// </summary>
public static class CanonicalJson
{
    /// <param name="element">What <see cref="StrictJson"/> accepted: every field as received, also those that this code does not know.</param>
    public static byte[] Of(JsonElement element)
    {
        var output = new ArrayBufferWriter<byte>();
        Write(element, output);
        return output.WrittenSpan.ToArray();
    }

    private static void Write(JsonElement element, ArrayBufferWriter<byte> output)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                WriteObject(element, output);
                break;
            case JsonValueKind.Array:
                var separator = "["u8;
                foreach (var item in element.EnumerateArray())
                {
                    output.Write(separator);
                    Write(item, output);
                    separator = ","u8;
                }

                output.Write(separator[0] == '[' ? "[]"u8 : "]"u8);
                break;
            case JsonValueKind.String:
                WriteText(Encoding.UTF8.GetBytes(element.GetString()!), output);
                break;
            default:
                // A whole number, true, false or null: canonical as written.
                output.Write(Encoding.UTF8.GetBytes(element.GetRawText()));
                break;
        }
    }

    private static void WriteObject(JsonElement element, ArrayBufferWriter<byte> output)
    {
        var members = element.EnumerateObject().Select(p => (Name: Encoding.UTF8.GetBytes(p.Name), p.Value)).ToList();
        // The order of UTF-8 bytes is the order of code points; the order of UTF-16 units is not.
        members.Sort((one, other) => one.Name.AsSpan().SequenceCompareTo(other.Name));
        var separator = "{"u8;
        foreach (var (name, value) in members)
        {
            output.Write(separator);
            WriteText(name, output);
            output.Write(":"u8);
            Write(value, output);
            separator = ","u8;
        }

        output.Write(separator[0] == '{' ? "{}"u8 : "}"u8);
    }

    private static void WriteText(ReadOnlySpan<byte> text, ArrayBufferWriter<byte> output)
    {
        output.Write("\""u8);
        while (text.IndexOfAny((byte)'"', (byte)'\\') is var special and >= 0)
        {
            output.Write(text[..special]);
            output.Write("\\"u8);
            output.Write(text.Slice(special, 1));
            text = text[(special + 1)..];
        }

        output.Write(text);
        output.Write("\""u8);
    }
}
