using System.Text.Json;

namespace Fleet.Updates.Tuf;

/// <summary>Fields of a JSON object, each with a <see cref="FormatException"/> that names the field when it is missing or of another kind.</summary>
internal static class JsonFields
{
    public static JsonElement Field(this JsonElement parent, string name, JsonValueKind kind) =>
        parent.Optional(name, kind) ?? throw new FormatException($"'{name}' is missing");

    public static JsonElement? Optional(this JsonElement parent, string name, JsonValueKind kind)
    {
        if (parent.ValueKind != JsonValueKind.Object)
            throw new FormatException($"a {parent.ValueKind} where an object with '{name}' belongs");
        if (!parent.TryGetProperty(name, out var field))
            return null;
        return field.ValueKind == kind ? field : throw new FormatException($"'{name}' is a {field.ValueKind} and not a {kind}");
    }

    public static string Text(this JsonElement parent, string name) => parent.Field(name, JsonValueKind.String).GetString()!;

    /// <summary>A whole number of at least <paramref name="least"/>.</summary>
    public static long Whole(this JsonElement parent, string name, long least) => AtLeast(parent.Field(name, JsonValueKind.Number), name, least);

    public static long? OptionalWhole(this JsonElement parent, string name, long least) =>
        parent.Optional(name, JsonValueKind.Number) is { } field ? AtLeast(field, name, least) : null;

    public static bool Flag(this JsonElement parent, string name) => parent.OptionalFlag(name) ?? throw new FormatException($"'{name}' is missing");

    public static bool? OptionalFlag(this JsonElement parent, string name) => !parent.TryGetProperty(name, out var field) ? null : field.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw new FormatException($"'{name}' is a {field.ValueKind} and not true or false"),
    };

    public static IReadOnlyList<string> Texts(this JsonElement parent, string name) => Strings(parent.Field(name, JsonValueKind.Array), name);

    public static IReadOnlyList<string>? OptionalTexts(this JsonElement parent, string name) =>
        parent.Optional(name, JsonValueKind.Array) is { } field ? Strings(field, name) : null;

    private static string[] Strings(JsonElement array, string name) =>
        array.EnumerateArray().All(e => e.ValueKind == JsonValueKind.String)
            ? [.. array.EnumerateArray().Select(e => e.GetString()!)]
            : throw new FormatException($"'{name}' has more in it than texts");

    private static long AtLeast(JsonElement field, string name, long least) =>
        field.GetInt64() is var value && value >= least ? value : throw new FormatException($"'{name}' is {value}");
}
