using Akka.Configuration;
using Akka.Configuration.Hocon;
using Fleet.Contracts;

namespace Fleet.Messages.Settings;

/// <summary>
/// The HOCON settings of one process, layer over layer: the files shipped under <c>hocon/</c> (every key with its default), the administrator's
/// file, the environment, <c>--set key=value</c>. A key that the shipped files do not know is a mistake and is reported with its path and where it came from.
/// </summary>
public sealed class SettingsLayers
{
    private SettingsLayers(Config all) => All = all;

    /// <summary>All layers merged, narrowest first.</summary>
    public Config All { get; }

    /// <summary>Block <c>fleet</c>.</summary>
    public Config Fleet => All.GetConfig("fleet");

    /// <summary>Reads the layers; mistakes land in <paramref name="problems"/>, all of them at once.</summary>
    /// <param name="shipped">Names of the shipped files, narrowest first, e.g. <c>headquarters</c>, <c>fleet</c>.</param>
    /// <param name="file">The administrator's file, or null.</param>
    /// <param name="sets">Command-line overrides <c>key=value</c>; the key may omit the leading <c>fleet.</c>.</param>
    /// <param name="variable">Reads an environment variable; default: this process's.</param>
    public static SettingsLayers Load(IReadOnlyList<string> shipped, string? file, IReadOnlyList<string> sets, Problems problems, Func<string, string?>? variable = null)
    {
        var reference = shipped.Select(ShippedFile).Aggregate((narrow, wide) => narrow.WithFallback(wide));
        var merged = reference;
        if (file is not null && ReadFile(file, problems) is var (own, lines) && Fits(own, reference, path => lines.TryGetValue(path, out var line) ? $"{file}:{line}" : file, problems))
            merged = own.WithFallback(merged);

        foreach (var path in Leaves(reference.Root, ""))
        {
            // Akka's HOCON loses the default beside an optional ${?VARIABLE}, so the environment is a layer of its own.
            if ((variable ?? Environment.GetEnvironmentVariable)(VariableOf(path)) is { Length: > 0 } value && Assign(path, value, VariableOf(path), problems) is { } one
                && Fits(one, reference, VariableOf, problems))
                merged = one.WithFallback(merged);
        }

        foreach (var set in sets)
        {
            var equals = set.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
            {
                problems.Add("--set", $"'{set}' is not of the form key=value");
                continue;
            }

            var key = set[..equals].Trim();
            key = key.StartsWith("fleet.", StringComparison.Ordinal) || key.StartsWith("akka.", StringComparison.Ordinal) ? key : "fleet." + key;
            if (Assign(key, set[(equals + 1)..].Trim(), "--set", problems) is not { } one)
                continue;
            if (Fits(one, reference, _ => "--set", problems))
                merged = one.WithFallback(merged);
        }

        return new SettingsLayers(merged);
    }

    /// <summary>The environment variable that overrides a key: <c>fleet.web.ask-timeout</c> is <c>FLEET_WEB_ASK_TIMEOUT</c>.</summary>
    public static string VariableOf(string path) => path.Replace('.', '_').Replace('-', '_').ToUpperInvariant();

    /// <summary>A shipped file; it lies in <c>hocon/</c> beside the program.</summary>
    public static Config ShippedFile(string name)
    {
        var path = Path.Combine(AppContext.BaseDirectory, "hocon", name + ".hocon");
        return ConfigurationFactory.ParseString(File.ReadAllText(path));
    }

    // Lists and quoted texts are taken as HOCON, everything else as one text, whatever is in it.
    private static Config? Assign(string path, string value, string source, Problems problems)
    {
        var quoted = value.StartsWith('[') || value.StartsWith('"')
            ? value
            : $"\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
        return Parse(source, $"{path} = {quoted}", problems);
    }

    private static (Config Own, IReadOnlyDictionary<string, int> Lines)? ReadFile(string file, Problems problems)
    {
        try
        {
            var text = File.ReadAllText(file);
            if (Parse(file, text, problems) is { } own)
                return (own, HoconLines.Of(text).Lines);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            problems.Add(file, $"can't be read: {fault.Message}");
        }

        return null;
    }

    private static Config? Parse(string source, string text, Problems problems)
    {
        try
        {
            if ((HoconSyntax.Problem(text) ?? HoconLines.Of(text).Problem) is not { } problem)
                return ConfigurationFactory.ParseString(text);
            problems.Add(source, $"is not valid HOCON: {problem}");
        }
        catch (Exception fault)
        {
            // Akka's parser throws plain Exceptions and FormatExceptions for bad syntax; nothing else can happen in here.
            problems.Add(source, $"is not valid HOCON: {fault.Message.ReplaceLineEndings(" ")} (write one 'key = value' a line, and quote texts)");
        }

        return null;
    }

    /// <summary>Whether a layer has the shape of the shipped files; unknown keys are told, but hide nothing.</summary>
    private static bool Fits(Config own, Config reference, Func<string, string> originOf, Problems problems)
    {
        var fits = true;
        // Akka's own block is Akka's to check; its reference lies in its assemblies.
        foreach (var path in Leaves(own.Root, "").Where(p => !p.StartsWith("akka.", StringComparison.Ordinal)))
        {
            problems.Comes(path, originOf(path));
            if (!reference.HasPath(path))
            {
                problems.Add(path, $"is no setting of Fleet{NearMiss.Hint(path, Leaves(reference.Root, ""))}");
            }
            else if (reference.GetValue(path).IsObject())
            {
                problems.Add(path, "is a block of settings; write 'key = value' inside it");
                fits = false;
            }
        }

        return fits;
    }

    private static IEnumerable<string> Leaves(HoconValue value, string path)
    {
        if (!value.IsObject())
            return [path];
        return value.GetObject().Items.SelectMany(i => Leaves(i.Value, path.Length == 0 ? i.Key : $"{path}.{i.Key}"));
    }
}
