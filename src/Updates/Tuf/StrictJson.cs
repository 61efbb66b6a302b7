using System.Text.Json;

namespace Fleet.Updates.Tuf;

/// <summary>
/// JSON as signed metadata may be, so that no two readers understand it differently: one value, UTF-8 without byte order mark, no duplicate
/// names, whole numbers of 64 bits only, valid text, bounded in size and depth.
/// </summary>
public static class StrictJson
{
    public const int MaxDepth = 32;

    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false, MaxDepth = MaxDepth };

    /// <exception cref="FormatException">Not such JSON; the message says why.</exception>
    public static JsonElement Parse(ReadOnlySpan<byte> utf8, int maxBytes)
    {
        if (utf8.Length > maxBytes)
            throw new FormatException($"{utf8.Length} bytes where at most {maxBytes} are allowed");
        try
        {
            var element = JsonElement.Parse(utf8, Options);
            Check(element);
            return element;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            // InvalidOperationException is how the reader tells text that is no valid UTF-8 or UTF-16.
            throw new FormatException($"not valid JSON: {fault.Message}", fault);
        }
    }

    private static void Check(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    _ = property.Name;
                    Check(property.Value);
                }

                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                    Check(item);
                break;
            case JsonValueKind.String:
                _ = element.GetString();
                break;
            case JsonValueKind.Number when !IsWhole(element.GetRawText()):
                throw new FormatException($"'{element.GetRawText()}' is not a whole number of 64 bits");
        }
    }

    // The exponent and the fraction are refused even where their value is whole: 1e2 has no canonical form.
    private static bool IsWhole(string text) => text != "-0" && text.AsSpan().IndexOfAny(".eE") < 0 && long.TryParse(text, out _);
}
