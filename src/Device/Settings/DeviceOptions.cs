using System.Globalization;
using Fleet.Contracts;
using Fleet.Device.Events;
using Fleet.Device.Updates;
using Fleet.Updates.Deltas;

namespace Fleet.Device.Settings;

/// <summary>Block <c>fleet.agent</c>; the defaults are those of <c>hocon/agent.hocon</c>, which is built in.</summary>
public sealed record DeviceOptions(
    TimeSpan SyncInterval,
    TimeSpan FirstRetry,
    TimeSpan ConnectTimeout,
    TimeSpan AnswerTimeout,
    TimeSpan TakeOverAfter,
    TimeSpan ReturnAfter,
    TimeSpan Keepalive,
    TimeSpan ProbeTimeout,
    TimeSpan LineProbe,
    TimeSpan OfficeLineProbe,
    TimeSpan LineRetry,
    int WakePort,
    TimeSpan ClockTolerance,
    EventCaps Events,
    UpdateOptions Updates)
{
    private const string Shipped = "agent.hocon";
    private static readonly Lazy<DeviceOptions> Built = new(() => Load(file: null, source: "", []));

    /// <summary>What the shipped file says.</summary>
    public static DeviceOptions Default => Built.Value;

    /// <summary>Reads the shipped settings and an administrator's file over them; all mistakes land in <paramref name="problems"/>.</summary>
    /// <param name="file">The administrator's text, or null.</param>
    /// <param name="source">Its name, for messages.</param>
    public static DeviceOptions Load(string? file, string source, List<string> problems)
    {
        var values = new Dictionary<string, SettingsValue>(SettingsText.Read(ShippedText(), $"built-in {Shipped}", problems));
        foreach (var (key, value) in SettingsText.Read(file ?? "", source, problems))
            if (!values.ContainsKey(key))
                problems.Add($"{value.Origin}: {key} is no setting of the agent{NearMiss.Hint(key, values.Keys)}");
            else
                values[key] = value;

        TimeSpan Duration(string key) => DurationText.TryParse(values[key].Text, out var duration) ? duration : Wrong(key, "a duration over zero, such as 15s", TimeSpan.FromSeconds(1));
        long Number(string key, long min, long max) =>
            long.TryParse(values[key].Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
                ? number
                : Wrong(key, $"a whole number from {min} to {max}", min);
        bool Switch(string key) => values[key].Text switch
        {
            "on" or "true" => true,
            "off" or "false" => false,
            _ => Wrong(key, "on or off", false),
        };
        T Wrong<T>(string key, string wanted, T standIn)
        {
            problems.Add($"{values[key].Origin}: {key} must be {wanted}, not '{values[key].Text}'");
            return standIn;
        }

        return new DeviceOptions(
            SyncInterval: Duration("fleet.agent.sync.interval"),
            FirstRetry: Duration("fleet.agent.sync.first-retry"),
            ConnectTimeout: Duration("fleet.agent.sync.connect-timeout"),
            AnswerTimeout: Duration("fleet.agent.sync.answer-timeout"),
            TakeOverAfter: Duration("fleet.agent.sync.take-over-after"),
            ReturnAfter: Duration("fleet.agent.sync.return-after"),
            Keepalive: Duration("fleet.agent.sync.keepalive"),
            ProbeTimeout: Duration("fleet.agent.sync.probe-timeout"),
            LineProbe: Duration("fleet.agent.push.probe-after"),
            OfficeLineProbe: Duration("fleet.agent.push.office-probe-after"),
            LineRetry: Duration("fleet.agent.push.longest-retry"),
            WakePort: (int)Number("fleet.agent.wake.port", 0, 65_535),
            ClockTolerance: Duration("fleet.agent.clock.tolerance"),
            Events: new EventCaps(
                (int)Number("fleet.agent.events.max-count", 10, 1_000_000),
                Number("fleet.agent.events.max-bytes", 65_536, 1_073_741_824),
                Duration("fleet.agent.events.max-age")),
            Updates: new UpdateOptions(
                values["fleet.agent.updates.packages"].Text,
                Number("fleet.agent.updates.quota", 1 << 20, long.MaxValue),
                Number("fleet.agent.updates.min-free", 0, long.MaxValue),
                (int)Number("fleet.agent.updates.delta-max-file", 0, ZstdDelta.MaxLength),
                Duration("fleet.agent.updates.first-retry"),
                Duration("fleet.agent.updates.longest-retry"),
                Duration("fleet.agent.updates.headquarters-after"),
                Duration("fleet.agent.updates.tell-within"),
                Duration("fleet.agent.updates.health-timeout"),
                Duration("fleet.agent.updates.run-timeout"),
                Duration("fleet.agent.updates.probation"),
                Switch("fleet.agent.updates.require-vendor")));
    }

    private static string ShippedText()
    {
        using var stream = typeof(DeviceOptions).Assembly.GetManifestResourceStream(Shipped) ?? throw new InvalidOperationException($"{Shipped} is not built in");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
