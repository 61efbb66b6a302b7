using System.Net;
using Akka.Configuration;

namespace Fleet.Messages.Settings;

/// <summary>Collects every mistake in the settings, so that an administrator mends them in one go. Readers return a stand-in and go on.</summary>
public sealed class Problems
{
    private readonly List<string> _all = [];
    private readonly Dictionary<string, string> _origins = [];

    public IReadOnlyList<string> All => _all;

    public bool Any => _all.Count > 0;

    /// <summary>Adds a mistake: where, and what to do.</summary>
    public void Add(string path, string what) => _all.Add(_origins.TryGetValue(path, out var origin) ? $"{path}: {what} ({origin})" : $"{path}: {what}");

    /// <summary>Notes who set a key, for the mistakes in it.</summary>
    public void Comes(string path, string origin) => _origins[path] = origin;

    /// <summary>Whether something is wrong with the key already, so that what follows from it need not be told.</summary>
    public bool Told(string key) => _all.Any(p => p.StartsWith($"fleet.{key}:", StringComparison.Ordinal));

    /// <summary>Ends the start if anything is wrong.</summary>
    /// <exception cref="SettingsException">The message lists every mistake.</exception>
    public void ThrowIfAny()
    {
        if (Any)
            throw new SettingsException($"the settings have {(_all.Count == 1 ? "a mistake" : $"{_all.Count} mistakes")}:{string.Concat(_all.Select(p => $"{Environment.NewLine}  {p}"))}");
    }

    /// <summary>A duration over zero, e.g. <c>15s</c>.</summary>
    public TimeSpan Positive(Config fleet, string key)
    {
        var value = Read(fleet, key, "a duration over zero, such as 15s", c => c.GetTimeSpan(key, allowInfinite: false));
        if (value <= TimeSpan.Zero && !Told(key))
            Refuse(fleet, key, "a duration over zero, such as 15s");
        return value;
    }

    /// <summary>A whole number within bounds.</summary>
    public int Number(Config fleet, string key, int min, int max)
    {
        var wanted = $"a whole number from {min} to {max}";
        var value = Read(fleet, key, wanted, c => c.GetInt(key));
        if ((value < min || value > max) && !Told(key))
            Refuse(fleet, key, wanted);
        return value;
    }

    /// <summary>A number of bytes over zero, e.g. <c>50GiB</c>.</summary>
    public long Bytes(Config fleet, string key)
    {
        const string wanted = "a number of bytes over zero, such as 50GiB";
        var value = Read(fleet, key, wanted, c => c.GetByteSize(key) ?? 0);
        if (value <= 0 && !Told(key))
            Refuse(fleet, key, wanted);
        return value;
    }

    /// <summary>A TCP or UDP port; 0 lets the system choose.</summary>
    public int Port(Config fleet, string key) => Number(fleet, key, 0, 65535);

    /// <summary>Text that must not be blank.</summary>
    public string Text(Config fleet, string key)
    {
        var value = Read(fleet, key, "a text", c => c.GetString(key)) ?? "";
        if (value.Length == 0 && !Told(key))
            Add($"fleet.{key}", "must not be empty");
        return value;
    }

    /// <summary>Text that may be blank.</summary>
    public string Optional(Config fleet, string key) => fleet.HasPath(key) ? Read(fleet, key, "a text", c => c.GetString(key)) ?? "" : "";

    /// <summary>An IP address of this machine to listen at, e.g. <c>0.0.0.0</c>.</summary>
    public IPAddress Address(Config fleet, string key)
    {
        var value = Text(fleet, key);
        if (IPAddress.TryParse(value, out var address))
            return address;
        if (!Told(key))
            Refuse(fleet, key, "an IP address, such as 0.0.0.0 or 127.0.0.1");
        return IPAddress.None;
    }

    public bool Switch(Config fleet, string key) => Read(fleet, key, "true or false", c => c.GetBoolean(key));

    public IReadOnlyList<string> Texts(Config fleet, string key) => Read(fleet, key, "a list, such as [a, b]", c => c.GetStringList(key).ToList()) ?? [];

    private static string Raw(Config fleet, string key) => fleet.HasPath(key) ? fleet.GetString(key) ?? "" : "nothing";

    private void Refuse(Config fleet, string key, string wanted) => Add($"fleet.{key}", $"must be {wanted}, not '{Raw(fleet, key)}'");

    private T? Read<T>(Config fleet, string key, string wanted, Func<Config, T> read)
    {
        try
        {
            if (fleet.HasPath(key))
                return read(fleet);
            Add($"fleet.{key}", "is missing; the shipped files under hocon/ give its default");
        }
        catch (Exception)
        {
            // Akka's typed getters throw whatever their parser throws (FormatException, HoconParserException, …): all mean the same here.
            Refuse(fleet, key, wanted);
        }

        return default;
    }
}
