using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Fleet.Cli.Output;

/// <summary>Shows results: JSON for programs, tables and sentences for people. Standard output carries results alone.</summary>
internal sealed class Display(Terminal terminal, bool json)
{
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

        var table = Grid(columns);
        await foreach (var item in items.ConfigureAwait(false))
            table.AddRow(row(item).Select(IRenderable (text) => new Text(text)));
        if (table.Rows.Count == 0)
            terminal.Out.WriteLine(whenEmpty);
        else
            Drawing.Write(table);
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
        var table = Grid(columns);
        foreach (var row in rows)
            table.AddRow(row.Select(IRenderable (text) => new Text(text)));
        if (table.Rows.Count == 0)
            return;
        Drawing.WriteLine();
        Drawing.Write(new Text(title + "\n", new Style(decoration: Decoration.Bold)));
        Drawing.Write(table);
    }

    /// <summary>A sentence.</summary>
    public void Say(string text) => terminal.Out.WriteLine(text);

    /// <summary>Something is gone.</summary>
    public void Removed(string kind, string id) => Show(new RemovedResource(id, Removed: true), DisplayJson.Default.RemovedResource, () => Say($"{kind} {id} removed"));

    private static Table Grid(IReadOnlyList<string> columns)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var column in columns)
            table.AddColumn(new TableColumn(new Text(column, new Style(decoration: Decoration.Bold))).NoWrap());
        return table;
    }
}

/// <summary>What the commands that remove something print as JSON.</summary>
internal sealed record RemovedResource(string Id, bool Removed);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(RemovedResource))]
internal sealed partial class DisplayJson : JsonSerializerContext;
