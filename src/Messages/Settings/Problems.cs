using System.Net;
using Akka.Configuration;

namespace Fleet.Messages.Settings;

/// <summary>Collects every mistake in the settings, so that an administrator mends them in one go. Readers return a stand-in and go on.</summary>
public sealed class Problems
{
    private readonly List<string> _all = [];

    public IReadOnlyList<string> All => _all;

    public bool Any => _all.Count > 0;

    /// <summary>Adds a mistake: where, and what to do.</summary>
    public void Add(string path, string what) => _all.Add($"{path}: {what}");

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
        var value = Read(fleet, key, c => c.GetTimeSpan(key, allowInfinite: false));
        if (value <= TimeSpan.Zero && !Reported(key))
            Add($"fleet.{key}", $"must be a duration over zero, such as 15s, not '{Raw(fleet, key)}'");
        return value;
    }

    /// <summary>A whole number within bounds.</summary>
    public int Number(Config fleet, string key, int min, int max)
    {
        var value = Read(fleet, key, c => c.GetInt(key));
        if ((value < min || value > max) && !Reported(key))
            Add($"fleet.{key}", $"must be a whole number from {min} to {max}, not '{Raw(fleet, key)}'");
        return value;
    }

    /// <summary>A TCP or UDP port; 0 lets the system choose.</summary>
    public int Port(Config fleet, string key) => Number(fleet, key, 0, 65535);

    /// <summary>Text that must not be blank.</summary>
    public string Text(Config fleet, string key)
    {
        var value = Read(fleet, key, c => c.GetString(key)) ?? "";
        if (value.Length == 0 && !Reported(key))
            Add($"fleet.{key}", "must not be empty");
        return value;
    }

    /// <summary>An IP address of this machine to listen at, e.g. <c>0.0.0.0</c>.</summary>
    public IPAddress Address(Config fleet, string key)
    {
        var value = Text(fleet, key);
        if (IPAddress.TryParse(value, out var address))
            return address;
        if (!Reported(key))
            Add($"fleet.{key}", $"must be an IP address, such as 0.0.0.0 or 127.0.0.1, not '{value}'");
        return IPAddress.None;
    }

    public bool Switch(Config fleet, string key) => Read(fleet, key, c => c.GetBoolean(key));

    public IReadOnlyList<string> Texts(Config fleet, string key) => Read(fleet, key, c => c.GetStringList(key).ToList()) ?? [];

    private bool Reported(string key) => _all.Any(p => p.StartsWith($"fleet.{key}:", StringComparison.Ordinal));

    private static string Raw(Config fleet, string key) => fleet.HasPath(key) ? fleet.GetString(key) ?? "" : "nothing";

    private T? Read<T>(Config fleet, string key, Func<Config, T> read)
    {
        try
        {
            if (fleet.HasPath(key))
                return read(fleet);
            Add($"fleet.{key}", "is missing; the shipped files under hocon/ give its default");
        }
        catch (Exception fault)
        {
            // Akka's typed getters throw whatever their parser throws (FormatException, HoconParserException, …): all mean the same here.
            Add($"fleet.{key}", $"'{Raw(fleet, key)}' can't be read: {fault.Message}");
        }

        return default;
    }
}
