using Fleet.Contracts;
using Fleet.Headquarters.Policies;
using Fleet.Headquarters.Wakes;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.Messages.Serialization;
using LinqToDB;
using LinqToDB.Data;
using MessagePack;

namespace Fleet.Headquarters.ReadModel;

/// <summary>Writes what each event means into the tables. Runs in the transaction that also stores the position, so each event counts once.</summary>
internal sealed class Projection(ReadModelConnection db)
{
    private readonly DeviceRows _devices = new(db);
    private readonly Incidents _incidents = new(db);
    private readonly NetworkRows _network = new(db);
    private readonly RolloutRows _rollouts = new(db);
    private readonly List<NodeEventRow> _nodeEvents = [];
    private long _position;

    /// <summary>Reads ahead what these events will change.</summary>
    public void Expect(IEnumerable<object> rows) => _devices.Read(rows.SelectMany(EventsOf).OfType<IDeviceEvent>().Where(e => e is not (DeviceReported or DeviceEventRecorded or DeviceWakeRequested or DeviceWakeEnded)).Select(e => e.DeviceId.Value));

    /// <summary>Writes what was kept back to be written together.</summary>
    public void Complete()
    {
        _devices.Save();
        if (_nodeEvents.Count > 0)
            db.NodeEvents.BulkCopy(db.Together, _nodeEvents);
        _nodeEvents.Clear();
    }

    /// <summary>Writes what a row of the journal means.</summary>
    /// <param name="ordering">Where it stands in the whole journal.</param>
    public void Apply(long ordering, object row)
    {
        foreach (var (place, happened) in EventsOf(row).Index())
            ApplyOne(HistoryPosition.Of(ordering, place), happened);
    }

    /// <summary>Names a row that can't be read.</summary>
    public void Name(UnreadableRow row) => db.InsertOrReplace(row);

    private static IReadOnlyList<object> EventsOf(object row) => row is OfficeEvents many ? many.Events : [row];

    private void ApplyOne(long position, object happened)
    {
        _position = position;
        switch (happened)
        {
            case OfficeOpened e:
                db.InsertOrReplace(new OfficeRow { OfficeId = e.OfficeId.Value, Title = e.Title, OpenedAt = e.At });
                Note(e.OfficeId, "opened", $"{e.Title} opened by {e.By}", e.At);
                break;
            case OfficeClosed e:
                db.Offices.Delete(o => o.OfficeId == e.OfficeId.Value);
                db.Tokens.Delete(t => t.OfficeId == e.OfficeId.Value);
                _incidents.Closed(e.OfficeId, e.At);
                _network.Close(e.OfficeId);
                Note(e.OfficeId, "closed", $"closed by {e.By}", e.At);
                break;
            case TokenCreated or TokenUsed or TokenWasRevoked or EnrolmentRefused:
                ApplyToken((IOfficeEvent)happened);
                break;
            case IPollingEvent or IDiscoveryEvent or IInstallEvent:
                ApplyNetwork((IOfficeEvent)happened);
                break;
            case NodeDesiredRaised or NodeEnrolled or NodeCertified or NodeRolesAssigned or NodeWaySet or NodeReported or NodeEventRecorded or NodeLinkChanged or NodeLinkSet or NodeLinkDecided or NodeRemoved:
                ApplyNode((IOfficeEvent)happened);
                break;
            case IDeviceEvent e:
                ApplyDevice(e);
                break;
            case PolicyApplied e:
                Insert(e.Policy, e.By);
                break;
            case PolicyRemoved e:
                db.Policies.Delete(p => p.Name == e.Name.Value);
                break;
            case RuleBookChanged e:
                Insert(e.Book);
                break;
            case IRolloutEvent e:
                _rollouts.Apply(position, e);
                break;
            case UpdateBookChanged e:
                AptQueries.Put(db, e.Book.Apt);
                DownloadQueries.Put(db, e.Book.Tasks);
                VendorQueries.Put(db, e.Book.Vendors);
                break;
            case OfficePoliciesAdopted or OfficeRulesAdopted or OfficeUpdatesAdopted or OfficeDocumentsChecked:
                // Shown is the company's book, and each device's document.
                break;
            case OfficeAdded or OfficeRemoved:
                // The office's own OfficeOpened and OfficeClosed say the same.
                break;
            case ConnectionsLeased:
                // Shown is what the office makes of it.
                break;
            default:
                throw new NotSupportedException($"{happened.GetType().Name} has no place in the read model");
        }
    }

    /// <summary>Begins an office or the company at a snapshot: its older events are no longer in the journal.</summary>
    /// <param name="ordering">Where that is among the journal's rows.</param>
    public void Begin(long ordering, object snapshot)
    {
        _position = HistoryPosition.Of(ordering, 0);
        switch (snapshot)
        {
            case OfficeSnapshot s:
                Begin(s);
                break;
            case CompanySnapshot s:
                db.Policies.Delete();
                db.Rollouts.Delete();
                foreach (var policy in s.Book.Policies)
                    Insert(policy, "");
                Insert(s.Rules ?? RuleBook.Empty);
                _rollouts.Begin(s.Rollouts ?? []);
                AptQueries.Put(db, (s.Updates ?? UpdateBook.Empty).Apt);
                DownloadQueries.Put(db, (s.Updates ?? UpdateBook.Empty).Tasks);
                VendorQueries.Put(db, (s.Updates ?? UpdateBook.Empty).Vendors);
                break;
            default:
                throw new NotSupportedException($"{snapshot.GetType().Name} has no place in the read model");
        }
    }

    private void Begin(OfficeSnapshot s)
    {
        // Events that were left from before the snapshot may have changed what was not known.
        var office = s.OfficeId.Value;
        db.Offices.Delete(o => o.OfficeId == office);
        db.Nodes.Delete(n => n.OfficeId == office);
        db.Tokens.Delete(t => t.OfficeId == office);
        db.Incidents.Delete(i => i.OfficeId == office && i.ClosedAt == null);
        _devices.Clear(office);
        _network.Clear(s.OfficeId);
        if (s.IsOpen)
            db.InsertOrReplace(new OfficeRow { OfficeId = s.OfficeId.Value, Title = s.Title, OpenedAt = s.OpenedAt });
        foreach (var t in s.Tokens)
            db.InsertOrReplace(new TokenRow
            {
                TokenId = t.TokenId.Value, OfficeId = s.OfficeId.Value, Kind = t.Kind.ToString(), Uses = t.Uses, Used = t.Used,
                CreatedAt = t.At, ExpiresAt = t.ExpiresAt, RevokedAt = t.RevokedAt, CreatedBy = t.By,
            });
        foreach (var n in s.Nodes)
        {
            var row = NewNode(n.NodeId, s.OfficeId, n.DeviceId, n.Certificates[^1], n.EnrolledAt);
            (row.DesiredVersion, row.DesiredRoles, row.DesiredAt) = ((long)n.DesiredVersion, Names(n.Roles), n.DesiredAt);
            (row.Linked, row.LinkSince, row.LinkReason) = (n.Linked, n.LinkSince, n.LinkReason);
            (row.Through, row.DmzAddress) = (n.Through?.Value, n.DmzAddress);
            (row.AlwaysLinked, row.Periodic, row.DialMilliseconds, row.PeriodicWhy) = (n.AlwaysLinked, n.Periodic, n.DialInterval.TotalMilliseconds, n.LinkWhy);
            if (n.Report is { } report)
                Fill(row, report, n.ReportedAt);
            db.InsertOrReplace(row);
        }

        _devices.Read(s.Devices.Select(d => d.DeviceId.Value));
        foreach (var device in s.Devices)
            Insert(s.OfficeId, device);
        // Incidents count the office's devices.
        _devices.Save();
        _incidents.Begin(_position, s.OfficeId);
        _network.Begin(s);
    }

    private void ApplyNetwork(IOfficeEvent happened)
    {
        _network.Apply(happened);
        switch (happened)
        {
            case PollsScheduled e:
                Note(e.OfficeId, "polls-scheduled", $"by {e.By}", e.At);
                break;
            case PollerChosen e:
                Note(e.OfficeId, "poller-chosen", $"{e.NodeId} polls the network", e.At);
                break;
            case PollerReleased e:
                Note(e.OfficeId, "poller-released", $"{e.NodeId}: {e.Why}", e.At);
                break;
            case PollFinished { Ended: var ended } e:
                Note(e.OfficeId, "poll-ended", $"{Polls.Name(ended.Method)} {ended.PollId}: {ended.Outcome.ToString().ToLowerInvariant()}{(ended.Why.Length > 0 ? $", {ended.Why}" : "")}, {ended.Found} found", e.At);
                break;
            case AgentInstallBegun e:
                Note(e.OfficeId, "install-begun", $"{e.InstallId}: an agent on {e.DiscoveredId} ({e.Name}, {e.Address}) through {e.NodeId} by {e.By}", e.At);
                break;
            case AgentInstallEnded e:
                Note(e.OfficeId, "install-ended", $"{e.InstallId}: {e.Outcome}{(e.Detail.Length > 0 ? $", {e.Detail}" : "")}", e.At);
                break;
            case DiscoveredDeviceGone e:
                Note(e.OfficeId, "discovered-gone", $"{e.DiscoveredId}: {e.Why}", e.At);
                break;
            case DiscoveredDeviceIgnored e:
                Note(e.OfficeId, "discovered-ignored", $"{e.DiscoveredId} {(e.Ignored ? "set aside" : "taken in again")} by {e.By}", e.At);
                break;
            default:
                // What is found shows in the list of what is there.
                break;
        }
    }

    private void ApplyToken(IOfficeEvent happened)
    {
        switch (happened)
        {
            case TokenCreated e:
                db.InsertOrReplace(new TokenRow
                {
                    TokenId = e.TokenId.Value, OfficeId = e.OfficeId.Value, Kind = e.Kind.ToString(), Uses = e.Uses,
                    CreatedAt = e.At, ExpiresAt = e.ExpiresAt, CreatedBy = e.By,
                });
                Note(e.OfficeId, "token-created", $"{e.TokenId} for {e.Uses} uses by {e.By}", e.At);
                break;
            case TokenUsed e:
                db.Tokens.Where(t => t.TokenId == e.TokenId.Value).Set(t => t.Used, t => t.Used + 1).Update();
                Note(e.OfficeId, "token-used", $"{e.TokenId} by {e.Subject}", e.At);
                break;
            case TokenWasRevoked e:
                db.Tokens.Where(t => t.TokenId == e.TokenId.Value).Set(t => t.RevokedAt, e.At).Update();
                Note(e.OfficeId, "token-revoked", $"{e.TokenId} by {e.By}", e.At);
                break;
            case EnrolmentRefused e:
                Note(e.OfficeId, "enrolment-refused", $"{e.Name}: {e.Code}, {e.Detail}", e.At);
                break;
        }
    }

    private void ApplyNode(IOfficeEvent happened)
    {
        switch (happened)
        {
            case NodeEnrolled e:
                db.InsertOrReplace(NewNode(e.NodeId, e.OfficeId, e.DeviceId, e.Certificate, e.At));
                Note(e.NodeId, "enrolled", "", e.At);
                break;
            case NodeCertified e:
                db.Nodes.Where(n => n.NodeId == e.NodeId.Value)
                    .Set(n => n.CertificateSerial, e.Certificate.Serial).Set(n => n.CertificateNotAfter, e.Certificate.NotAfter).Update();
                Note(e.NodeId, "certified", $"certificate {e.Certificate.Serial} until {e.Certificate.NotAfter:u}", e.At);
                break;
            case NodeRolesAssigned e:
                db.Nodes.Where(n => n.NodeId == e.NodeId.Value)
                    .Set(n => n.DesiredVersion, (long)e.Version).Set(n => n.DesiredRoles, Names(e.Roles)).Set(n => n.DesiredAt, e.At).Update();
                Note(e.NodeId, "roles-assigned", $"{(e.Roles.Count == 0 ? "none" : Names(e.Roles))} by {e.By}", e.At);
                break;
            case NodeDesiredRaised e:
                db.Nodes.Where(n => n.NodeId == e.NodeId.Value).Set(n => n.DesiredVersion, (long)e.Version).Set(n => n.DesiredAt, e.At).Update();
                break;
            case NodeWaySet e:
                db.Nodes.Where(n => n.NodeId == e.NodeId.Value).Set(n => n.DesiredVersion, (long)e.Version).Set(n => n.DesiredAt, e.At)
                    .Set(n => n.Through, e.Through == null ? null : e.Through.Value.Value).Set(n => n.DmzAddress, e.DmzAddress).Update();
                Note(e.NodeId, "way-set", $"{(e.Through is { } hop ? $"through {hop}" : e.DmzAddress is { } at ? $"headquarters dials {at}" : "directly")} by {e.By}", e.At);
                break;
            case NodeReported e:
                if (db.Nodes.FirstOrDefault(n => n.NodeId == e.NodeId.Value) is { } row)
                {
                    Fill(row, e.Report, e.At);
                    db.Update(row);
                }

                break;
            case NodeEventRecorded e:
                _nodeEvents.Add(new NodeEventRow
                {
                    Position = _position, NodeId = e.NodeId.Value, OfficeId = e.OfficeId.Value, Number = (long)e.Event.Number,
                    Kind = e.Event.Kind, Text = e.Event.Text, NodeTime = e.Event.At, At = e.At,
                });
                break;
            case NodeLinkChanged e:
                // Another reason for the same outage does not begin it anew.
                db.Run("UPDATE nodes SET link_since = CASE WHEN @up OR linked THEN @at ELSE link_since END, linked = @up, link_reason = @why WHERE node_id = @node",
                    ("@up", e.Up), ("@at", e.At), ("@why", e.Reason), ("@node", e.NodeId.Value));
                _incidents.LinkChanged(_position, e.NodeId, e.Up, e.Reason, e.At);
                Note(e.NodeId, e.Up ? "linked" : "unlinked", e.Reason, e.At);
                break;
            case NodeLinkSet e:
                db.Nodes.Where(n => n.NodeId == e.NodeId.Value).Set(n => n.AlwaysLinked, e.Always).Update();
                Note(e.NodeId, "link-set", $"{PolicySettings.Mode(e.Always) ?? "as policies say"} by {e.By}", e.At);
                break;
            case NodeLinkDecided e:
                db.Nodes.Where(n => n.NodeId == e.NodeId.Value)
                    .Set(n => n.DesiredVersion, (long)e.Version).Set(n => n.DesiredAt, e.At)
                    .Set(n => n.Periodic, e.Periodic).Set(n => n.DialMilliseconds, e.Interval.TotalMilliseconds).Set(n => n.PeriodicWhy, e.Why).Update();
                Note(e.NodeId, "link-decided", e.Periodic ? $"dials every {DurationText.Of(e.Interval)}{(e.Why.Length == 0 ? "" : $": {e.Why}")}" : "keeps its link", e.At);
                break;
            case NodeRemoved e:
                db.Nodes.Delete(n => n.NodeId == e.NodeId.Value);
                ContentRows.Forget(db, e.NodeId.Value);
                _incidents.Removed(e.NodeId, e.At);
                Note(e.NodeId, "removed", $"by {e.By}", e.At);
                break;
        }
    }

    private void ApplyDevice(IDeviceEvent happened)
    {
        var id = happened.DeviceId.Value;
        switch (happened)
        {
            case DeviceEnrolled e:
                var enrolled = new DeviceRow { DeviceId = id, OfficeId = e.OfficeId.Value, Name = e.Name, EnrolledAt = e.At };
                Fill(enrolled, e.Certificate);
                _devices.Put(enrolled);
                Note(e, "enrolled", $"with token {e.TokenId}");
                break;
            case DeviceCertified e:
                _devices.Change(id, d => Fill(d, e.Certificate));
                Note(e, "certified", $"key generation {e.Certificate.Generation} until {e.Certificate.NotAfter:u}");
                break;
            case DeviceReported e:
                _devices.Report(id, ReportedColumns.Of(e.Version, e.Report, e.At));
                break;
            case DeviceEventRecorded e:
                _devices.Note(new DeviceEventRow
                {
                    Position = _position, DeviceId = id, OfficeId = e.OfficeId.Value, Number = (long)e.Number, Kind = e.Kind, Text = e.Text, DeviceTime = e.DeviceTime, At = e.At,
                });
                break;
            case DeviceLabelled e:
                Label(id, e.Labels);
                Note(e, "labelled", $"{string.Join(", ", e.Labels.Select(l => $"{l.Key}={l.Value}"))} by {e.By}");
                break;
            case DevicePlaced e:
                Label(id, e.Labels);
                Note(e, "placed", $"by {string.Join(", ", e.Rules)}: {string.Join(", ", e.Labels.Select(l => $"{l.Key}={l.Value}"))}");
                break;
            case DeviceDesiredChanged e:
                _devices.Change(id, d => (d.DesiredVersion, d.DesiredAt) = ((long)e.Version, e.At));
                break;
            case DeviceWakeRequested e:
                _devices.Wake(id, WakeColumns.Of(e));
                Note(e, "wake-requested", $"by {e.By}");
                break;
            case DeviceWakeEnded e:
                _devices.Wake(id, WakeColumns.Of(e));
                Note(e, "wake-ended", e.Channel is { } channel ? $"by {WakeLadder.Name(channel)} in {e.Took.TotalMilliseconds:0} ms" : "the device did not sync");
                break;
            case DeviceConnectionSet e:
                _devices.Change(id, d => d.AlwaysConnected = e.Always);
                Note(e, "connection-set", $"{PolicySettings.Mode(e.Always) ?? "as policies say"} by {e.By}");
                break;
            case DeviceConnectionDecided e:
                _devices.Change(id, d => (d.HasPlace, d.PlaceWhy) = (e.HasPlace, e.Why));
                if (e.Why.Length > 0)
                    Note(e, "connection-refused", e.Why);
                break;
            case DeviceCloneSeen e:
                _devices.Change(id, d => (d.CloneSeenAt, d.CloneEvidence) = (e.At, e.Evidence));
                Note(e, "clone-seen", e.Evidence);
                break;
            case DeviceMovedOut e:
                Note(e, "moved-out", $"to office {e.To} by {e.By}");
                break;
            case DeviceMoveDone:
                break;
            case DeviceMovedIn e:
                Insert(e.OfficeId, e.Device);
                Note(e, "moved-in", $"from office {e.From}");
                break;
            case DeviceRemoved e:
                _devices.Remove(id);
                db.Labels.Delete(l => l.DeviceId == id);
                db.Presence.Delete(p => p.DeviceId == id);
                db.NetworkSeen.Delete(n => n.DeviceId == id);
                Note(e, "removed", $"by {e.By}");
                break;
            default:
                throw new NotSupportedException($"{happened.GetType().Name} has no place in the read model");
        }
    }

    private void Insert(OfficeId office, DeviceSnapshot device)
    {
        var id = device.DeviceId.Value;
        var row = _devices.Find(id) ?? new DeviceRow { DeviceId = id };
        (row.OfficeId, row.Name, row.EnrolledAt) = (office.Value, device.Name, device.EnrolledAt);
        Fill(row, device.Certificates[^1]);
        (row.DesiredVersion, row.DesiredAt) = ((long)device.DesiredVersion, device.DesiredAt);
        (row.CloneSeenAt, row.CloneEvidence) = (device.CloneSeenAt, device.CloneEvidence);
        (row.AlwaysConnected, row.HasPlace, row.PlaceWhy) = (device.AlwaysConnected, device.HasPlace, device.ConnectionWhy);
        if (device.Wake is { } wake)
            (row.WakeCounter, row.WakeRequestedAt, row.WakeEndedAt, row.WakeChannel, row.WakeTookMilliseconds, row.WakeDetail) =
                ((long)wake.Counter, wake.At, wake.EndedAt, (int?)wake.Channel, wake.IsOver ? wake.Took.TotalMilliseconds : null, wake.Detail);
        if (!device.Report.IsEmpty)
            ReportedColumns.Of(device.ReportedVersion, device.Report, device.ReportedAt).Fill(row);
        _devices.Put(row);
        Label(id, device.Labels);
    }

    private void Insert(Policy policy, string by) => db.InsertOrReplace(new PolicyRow
    {
        Name = policy.Document.Name.Value, Version = (long)policy.Version, AppliedAt = policy.At, AppliedBy = by, Priority = policy.Document.Priority,
        Document = MessagePackSerializer.Serialize(policy.Document, Codec.Options),
    });

    private void Insert(RuleBook book)
    {
        db.Rules.Delete();
        foreach (var (at, rule) in book.Rules.Index())
            db.Insert(new RuleRow { Name = rule.Name.Value, Place = at, Rule = MessagePackSerializer.Serialize(rule, Codec.Options) });
    }

    private void Label(string device, IReadOnlyDictionary<string, string> labels)
    {
        db.Run("DELETE FROM device_labels WHERE device_id = @device", ("device", device));
        foreach (var (label, value) in labels)
            db.Run("INSERT INTO device_labels (device_id, label, value) VALUES (@device, @label, @value)", ("device", device), ("label", label), ("value", value));
    }

    private static NodeRow NewNode(NodeId node, OfficeId office, DeviceId device, CertificateRecord certificate, DateTimeOffset at) => new()
    {
        NodeId = node.Value, OfficeId = office.Value, DeviceId = device.Value, EnrolledAt = at,
        CertificateSerial = certificate.Serial, CertificateNotAfter = certificate.NotAfter, LinkReason = "has not linked yet", LinkSince = at,
    };

    private static void Fill(NodeRow row, NodeReport report, DateTimeOffset at)
    {
        (row.AppliedVersion, row.ReportedRoles, row.ReportedAt) = ((long)report.AppliedVersion, Names(report.Roles), at);
        row.PushAddresses = string.Join(',', report.PushAddresses);
        (row.LinkAddresses, row.LinkedBy) = (string.Join(',', report.LinkAddresses ?? []), report.LinkedBy ?? "");
        row.ContentAddresses = string.Join(',', report.ContentAddresses ?? []);
        row.Mirror = report.Mirror is { } mirror ? MessagePackSerializer.Serialize(mirror, Codec.Options) : null;
        (row.GatewayAddresses, row.Version, row.HostName) = (string.Join(',', report.GatewayAddresses), report.Version, report.HostName);
        (row.StartedAt, row.Problems) = (report.StartedAt, string.Join('\n', report.Problems));
    }

    private static void Fill(DeviceRow row, CertificateRecord certificate) =>
        (row.CertificateSerial, row.CertificateNotAfter, row.KeyGeneration) = (certificate.Serial, certificate.NotAfter, certificate.Generation);

    private void Note(OfficeId office, string kind, string text, DateTimeOffset at) =>
        db.Insert(new OfficeEventRow { Position = _position, OfficeId = office.Value, Kind = kind, Text = text, At = at });

    private void Note(NodeId node, string kind, string text, DateTimeOffset at) =>
        _nodeEvents.Add(new NodeEventRow { Position = _position, NodeId = node.Value, OfficeId = node.Office.Value, Kind = kind, Text = text, At = at });

    private void Note(IDeviceEvent e, string kind, string text) =>
        _devices.Note(new DeviceEventRow { Position = _position, DeviceId = e.DeviceId.Value, OfficeId = e.OfficeId.Value, Kind = kind, Text = text, At = e.At });

    private static string Names(IReadOnlyList<NodeRole> roles) => string.Join(',', roles.Select(NodeRoles.Name));
}
