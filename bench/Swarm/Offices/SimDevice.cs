using System.Collections.Concurrent;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Fleet.Device.Identity;
using Fleet.Device.Settings;
using Fleet.Device.Sync;
using Fleet.NatLab.Fleets;
using Fleet.Swarm.Identities;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Fleet.Swarm.Offices;

/// <summary>A simulated device: a real identity with real keys, of which only what an agent must remember is held. Used under its office's lock.</summary>
internal sealed class SimDevice
{
    private static readonly Reach Nowhere = new([], [], GatewayOnly: false);

    /// <summary>Most devices of a fleet have the same settings: each different set is held once.</summary>
    private static readonly ConcurrentDictionary<string, IReadOnlyDictionary<string, string>> Shared = new();

    private readonly byte[] _key;
    private IReadOnlyDictionary<string, string> _settings;
    private EnvelopeKeys? _keys;
    private uint _changes;

    public SimDevice(SavedDevice saved)
    {
        (Id, Name, _key, Applied, KeepsLine, Reported) = (new DeviceId(saved.Id), saved.Name, saved.Key, saved.Applied, saved.KeepsLine, saved.Reported);
        (Stored, _settings) = (Reported, Share(saved.Settings));
    }

    public DeviceId Id { get; }

    public string Name { get; }

    /// <summary>Version of the desired document that it runs.</summary>
    public ulong Applied { get; private set; }

    /// <summary>It is always connected.</summary>
    public bool KeepsLine { get; private set; }

    public ulong Reported { get; private set; }

    /// <summary>Version of the newest report that headquarters has.</summary>
    public ulong Stored { get; private set; }

    /// <summary>When its newest report was handed to the link in this epoch; zero: it was not.</summary>
    public long SentAt { get; set; }

    /// <summary>Version of the desired document that was asked for in this epoch.</summary>
    public ulong AskedFor { get; set; }

    public SavedDevice Saved => new(Id.Value, Name, _key, Applied, KeepsLine, Reported, _settings);

    /// <summary>Something about the machine is another.</summary>
    public void Change() => _changes++;

    /// <summary>Headquarters says what it has.</summary>
    /// <returns>Whether the newest report has just become known to it.</returns>
    public bool Knows(ulong reported)
    {
        var before = Stored;
        (Stored, Reported) = (reported, Math.Max(Reported, reported));
        return before < reported && reported == Reported;
    }

    /// <summary>Takes what headquarters wants; false where it has it already.</summary>
    /// <exception cref="EnvelopeException">It was not sealed for this device.</exception>
    public bool Obey(ReadOnlySpan<byte> envelope, byte[] headquartersKey)
    {
        var (header, desired) = Envelope.Open(Keys(headquartersKey), EnvelopeKind.Desired, envelope, DesiredDocument.Parser);
        if (header.Version <= Applied)
            return false;
        (Applied, KeepsLine) = (header.Version, desired.Connection == ConnectionMode.Always);
        _settings = Share(EffectiveSettings.From(DeviceOptions.Default, Nowhere, desired).All);
        return true;
    }

    /// <summary>Seals a new report.</summary>
    /// <param name="machine">The fingerprint of the machine that speaks: another than the device's own is a clone's.</param>
    public byte[] Report(NodeId through, byte[] headquartersKey, byte[]? machine = null)
    {
        var made = new MadeUpMachine(Name);
        var inventory = made.Inventory();
        inventory.MemoryBytes += _changes;
        var facts = new DeviceReport
        {
            RunId = ByteString.CopyFrom(_key.AsSpan(^16..)),
            Machine = ByteString.CopyFrom(machine ?? made.Fingerprint),
            Inventory = inventory,
            AppliedVersion = Applied,
            ReachedThrough = through.Value,
        };
        foreach (var (key, value) in _settings)
            facts.Settings[key] = value;
        if (Applied > 0)
            facts.AppliedAt = Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow);
        // Counters rise over restarts by the clock: this one remembers none.
        var state = new SyncState { ReportedVersion = Reported, SentCounter = (ulong)DateTimeOffset.UtcNow.UtcTicks };
        state = ReportRules.Refreshed(state, facts, [], () => Keys(headquartersKey), DateTimeOffset.UtcNow);
        Reported = state.ReportedVersion;
        return state.ReportEnvelope.ToByteArray();
    }

    public bool IsGenuine(ReadOnlySpan<byte> wake, byte[] headquartersKey) => WakeSignal.IsGenuine(Keys(headquartersKey), wake);

    /// <summary>What a device does once, on a processor of its own: not while headquarters is measured.</summary>
    public void DeriveKeys(byte[] headquartersKey) => _ = Keys(headquartersKey);

    private EnvelopeKeys Keys(byte[] headquartersKey) => _keys ??= new DeviceKey(1, _key, null, null).Share(headquartersKey, Id);

    private static IReadOnlyDictionary<string, string> Share(IReadOnlyDictionary<string, string> settings) =>
        Shared.GetOrAdd(string.Join('\n', settings.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => $"{s.Key}={s.Value}")), settings);
}
