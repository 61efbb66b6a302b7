using System.Net;
using Fleet.Messages.Link;
using Fleet.Office.Discovery.Names;

namespace Fleet.Office.Discovery.Multicast;

/// <summary>A machine that was heard of by multicast DNS.</summary>
/// <param name="Mac">Where its name for browsers holds it; null: it does not.</param>
internal sealed record HeardMachine(string Name, IReadOnlyList<IPAddress> Addresses, IReadOnlyList<SeenService> Services, MacAddress? Mac);

/// <summary>
/// What a run has heard by multicast DNS (RFC 6762, RFC 6763), and what it should ask next: kinds of services, then their instances, then where those are.
/// Pure; everything in it is capped, since anybody on the network may answer anything.
/// </summary>
internal sealed class ServiceBrowser
{
    private const int MaxKinds = 128;
    private const int MaxInstances = 4096;
    private const int MaxHosts = 2048;

    /// <summary>Questions of one packet: it stays below an Ethernet frame.</summary>
    private const int MaxQuestions = 12;

    private static readonly DnsName Enumeration = DnsName.Of("_services", "_dns-sd", "_udp", "local");

    private readonly int _asks;
    private readonly Dictionary<(DnsName Name, DnsType Type), int> _asked = [];
    private readonly HashSet<DnsName> _kinds = [];
    private readonly Dictionary<DnsName, Instance> _instances = [];
    private readonly Dictionary<DnsName, List<IPAddress>> _hosts = [];

    /// <param name="asks">How often one question is asked: answers get lost, and some devices sleep.</param>
    public ServiceBrowser(int asks)
    {
        _asks = asks;
        Want(Enumeration, DnsType.Ptr);
        // Devices that don't tell the kinds of their services answer for the kinds themselves.
        foreach (var kind in new[] { "_workstation", "_device-info", "_http", "_ssh", "_smb", "_ipp", "_printer", "_pdl-datastream", "_airplay", "_raop", "_googlecast", "_hap" })
            AddKind(DnsName.Of(kind, "_tcp", "local"));
    }

    public void Take(IPAddress from, DnsMessage message)
    {
        if (!message.IsResponse)
            return;
        foreach (var record in message.Records.Where(r => r.Name.EndsWith("local")))
            Take(record);
        // Who answers for a machine's name is that machine, also where it names only its other addresses.
        foreach (var name in message.Records.Where(r => r.Address is not null && SameScope(r.Address, from)).Select(r => r.Name))
            AddAddress(name, from);
    }

    /// <summary>The questions that are due, some in a packet; none: all were asked often enough, or answered.</summary>
    public IReadOnlyList<byte[]> NextQueries()
    {
        var due = _asked.Where(q => q.Value < _asks && !IsAnswered(q.Key.Name, q.Key.Type)).Select(q => q.Key).ToList();
        foreach (var question in due)
            _asked[question]++;
        return [.. due.Chunk(MaxQuestions).Select(questions => DnsMessage.Query(questions, resolverId: null))];
    }

    public IReadOnlyList<HeardMachine> Machines()
    {
        var instances = _instances.Where(i => i.Value.Host is not null).ToLookup(i => i.Value.Host!);
        return [.. _hosts.Select(h => new HeardMachine(h.Key.ToString(), h.Value, [.. instances[h.Key].Select(i => ServiceOf(i.Key, i.Value.Port)).OfType<SeenService>()],
            instances[h.Key].Select(i => CardIn(i.Key)).FirstOrDefault(m => m is not null)))];
    }

    private void Take(DnsRecord record)
    {
        switch (record)
        {
            case { Type: DnsType.Ptr, Target: { } kind } when record.Name.Equals(Enumeration):
                AddKind(kind);
                break;
            case { Type: DnsType.Ptr, Target: { } instance } when IsKind(record.Name) && IsKind(instance.Without(1)):
                AddInstance(instance);
                break;
            case { Type: DnsType.Srv, Target: { } host } when IsKind(record.Name.Without(1)):
                if (AddInstance(record.Name) is { } known && AddHost(host) is not null)
                    (known.Host, known.Port) = (host, record.Port);
                break;
            case { Address: { } address }:
                AddAddress(record.Name, address);
                break;
        }
    }

    private void AddKind(DnsName kind)
    {
        if (IsKind(kind) && _kinds.Count < MaxKinds && _kinds.Add(kind))
            Want(kind, DnsType.Ptr);
    }

    private Instance? AddInstance(DnsName name)
    {
        if (_instances.TryGetValue(name, out var known))
            return known;
        if (_instances.Count >= MaxInstances)
            return null;
        Want(name, DnsType.Srv);
        return _instances[name] = new Instance();
    }

    private List<IPAddress>? AddHost(DnsName name)
    {
        if (_hosts.TryGetValue(name, out var known))
            return known;
        // A machine's name has two labels; longer ones are those of services.
        if (_hosts.Count >= MaxHosts || name.Labels.Count != 2 || !name.EndsWith("local"))
            return null;
        Want(name, DnsType.A);
        Want(name, DnsType.Aaaa);
        return _hosts[name] = [];
    }

    private void AddAddress(DnsName host, IPAddress address)
    {
        if (AddHost(host) is { } known && known.Count < Sighting.MostAddresses && !known.Contains(address))
            known.Add(address);
    }

    private void Want(DnsName name, DnsType type) => _asked.TryAdd((name, type), 0);

    private bool IsAnswered(DnsName name, DnsType type) => type switch
    {
        DnsType.Srv => _instances.TryGetValue(name, out var instance) && instance.Host is not null,
        // One family is enough: most machines have no other, and would be asked to the end.
        DnsType.A or DnsType.Aaaa => _hosts.TryGetValue(name, out var addresses) && addresses.Count > 0,
        _ => false,
    };

    /// <summary><c>_ipp._tcp.local</c>.</summary>
    private static bool IsKind(DnsName name) => name.Labels is [['_', _, ..], ['_', _, _, _], _] && name.EndsWith("local") && (name.Without(1).EndsWith("_tcp", "local") || name.Without(1).EndsWith("_udp", "local"));

    private static bool SameScope(IPAddress one, IPAddress other) => one.AddressFamily == other.AddressFamily && one.IsIPv6LinkLocal == other.IsIPv6LinkLocal;

    // Port 0 and 9 (discard) say that there is nothing to connect to, as of _device-info and _workstation.
    private static SeenService? ServiceOf(DnsName instance, int port) =>
        port is 0 or 9 ? null : new SeenService(port, instance.Labels[2][1..].ToLowerInvariant(), $"{instance.Labels[1]}.{instance.Labels[2]}");

    /// <summary>Workstations are named after their card: <c>till [52:54:00:12:34:56]._workstation._tcp.local</c>.</summary>
    private static MacAddress? CardIn(DnsName instance) =>
        instance.Labels is [var text, "_workstation", ..] && text.EndsWith(']') && text.LastIndexOf('[') is var open and >= 0 ? MacAddress.Parse(text[(open + 1)..^1]) : null;

    private sealed class Instance
    {
        public DnsName? Host { get; set; }

        public int Port { get; set; }
    }
}
