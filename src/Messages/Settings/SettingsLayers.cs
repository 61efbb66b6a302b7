using Akka.Configuration;
using Akka.Configuration.Hocon;

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
        if (file is not null && Parse(file, () => File.ReadAllText(file), problems) is { } own)
        {
            CheckKnown(own, reference, file, problems);
            merged = own.WithFallback(merged);
        }

        foreach (var path in Leaves(reference.Root, ""))
        {
            // Akka's HOCON loses the default beside an optional ${?VARIABLE}, so the environment is a layer of its own.
            if ((variable ?? Environment.GetEnvironmentVariable)(VariableOf(path)) is { Length: > 0 } value && Assign(path, value, VariableOf(path), problems) is { } one)
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
            CheckKnown(one, reference, "--set", problems);
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
        return Parse(source, () => $"{path} = {quoted}", problems);
    }

    private static Config? Parse(string source, Func<string> text, Problems problems)
    {
        try
        {
            var read = text();
            if (HoconSyntax.Problem(read) is not { } problem)
                return ConfigurationFactory.ParseString(read);
            problems.Add(source, $"is not valid HOCON: {problem}");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            problems.Add(source, $"can't be read: {fault.Message}");
        }
        catch (Exception fault)
        {
            // Akka's parser throws plain Exceptions and FormatExceptions for bad syntax; nothing else can happen in here.
            problems.Add(source, $"is not valid HOCON: {fault.Message.ReplaceLineEndings(" ")} (write one 'key = value' a line, and quote texts)");
        }

        return null;
    }

    private static void CheckKnown(Config own, Config reference, string source, Problems problems)
    {
        // Akka's own block is Akka's to check; its reference lies in its assemblies.
        foreach (var path in Leaves(own.Root, ""))
            if (!path.StartsWith("akka.", StringComparison.Ordinal) && !Known(path, reference))
                problems.Add(path, $"is no setting of Fleet (in {source}); the shipped files under hocon/ list every key");
    }

    private static bool Known(string path, Config reference) => reference.HasPath(path);

    private static IEnumerable<string> Leaves(HoconValue value, string path)
    {
        if (!value.IsObject())
            return [path];
        return value.GetObject().Items.SelectMany(i => Leaves(i.Value, path.Length == 0 ? i.Key : $"{path}.{i.Key}"));
    }
}
