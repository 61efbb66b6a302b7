using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Spectre.Console;

namespace Fleet.Cli.Output;

/// <summary>Shows results: JSON for programs, tables and sentences for people. Standard output carries results alone.</summary>
internal sealed class Display(Terminal terminal, bool json)
{
    private const int BarWidth = 20;
    private static readonly JsonWriterOptions Indented = new() { Indented = true };

    public bool Json => json;

    public IAnsiConsole Drawing { get; } = terminal.Drawing();

    /// <summary>One result.</summary>
    public void Show<T>(T value, JsonTypeInfo<T> type, Action people)
    {
        if (!json)
        {
            people();
            return;
        }

        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Indented))
            JsonSerializer.Serialize(writer, value, type);
        terminal.Out.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.ToArray()));
    }

    /// <summary>A list: an array in JSON, a table else.</summary>
    /// <param name="whenEmpty">What to do next where there is nothing.</param>
    public async Task List<T>(IAsyncEnumerable<T> items, JsonTypeInfo<T> type, string whenEmpty, IReadOnlyList<string> columns, Func<T, IReadOnlyList<string>> row)
    {
        if (json)
        {
            using var buffer = new MemoryStream();
            await using (var writer = new Utf8JsonWriter(buffer, Indented))
            {
                writer.WriteStartArray();
                await foreach (var item in items.ConfigureAwait(false))
                    JsonSerializer.Serialize(writer, item, type);
                writer.WriteEndArray();
            }

            terminal.Out.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.ToArray()));
            return;
        }

        var rows = new List<IReadOnlyList<string>>();
        await foreach (var item in items.ConfigureAwait(false))
            rows.Add(row(item));
        if (rows.Count == 0)
            terminal.Error.WriteLine(whenEmpty);
        else
            Drawing.Write(FittedTable.Of(columns, rows, Drawing.Profile.Width));
    }

    /// <summary>Names and values, one a line; blank values are left out.</summary>
    public void Facts(IEnumerable<(string Name, string Value)> facts)
    {
        var grid = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn();
        foreach (var (name, value) in facts.Where(f => f.Value.Length > 0))
            grid.AddRow(new Text(name, new Style(Color.Grey)), new Text(value));
        Drawing.Write(grid);
    }

    /// <summary>A heading with a table under it.</summary>
    public void Section(string title, IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var all = rows.ToList();
        if (all.Count == 0)
            return;
        Drawing.WriteLine();
        Drawing.Write(new Text(title + "\n", new Style(Color.Blue)));
        Drawing.Write(FittedTable.Of(columns, all, Drawing.Profile.Width));
    }

    /// <summary>How many of how many; somebody who watches also gets it as a bar.</summary>
    public string Share(int part, int whole)
    {
        var text = $"{part} of {whole}";
        if (!terminal.IsInteractive || whole == 0)
            return text;
        var full = (int)Math.Floor((double)part / whole * BarWidth);
        return $"{new string('█', full)}{new string('░', BarWidth - full)} {text}";
    }

    /// <summary>A sentence.</summary>
    public void Say(string text) => terminal.Out.WriteLine(text);

    /// <summary>Something is gone.</summary>
    public void Removed(string kind, string id, string how = "removed") =>
        Show(new RemovedResource(id, Removed: true), DisplayJson.Default.RemovedResource, () => Say($"{kind} {id} {how}"));
}

/// <summary>What the commands that remove something print as JSON.</summary>
internal sealed record RemovedResource(string Id, bool Removed);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(RemovedResource))]
internal sealed partial class DisplayJson : JsonSerializerContext;
