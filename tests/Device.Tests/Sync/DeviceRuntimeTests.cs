using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Fleet.Device.Identity;
using Fleet.Device.Sync;
using Fleet.TestSupport;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Fleet.Device.Tests.Sync;

public sealed class DeviceRuntimeTests : IDisposable
{
    private readonly FakeHeadquarters _headquarters = new();

    public void Dispose() => _headquarters.Dispose();

    [Fact]
    public async Task The_first_sync_reports_and_is_acknowledged()
    {
        var device = TestDevice.EnrolledAt(_headquarters).Start(_headquarters.Sync);

        await TestDevice.RunUntil(device, end => end == RoundEnd.Done);

        var report = Assert.Single(_headquarters.Reports);
        Assert.Equal("till-1", report.Inventory.HostName);
        Assert.Equal("gw1.leeds", report.ReachedThrough);
        Assert.Equal("15m", report.Settings["sync.interval"]);
        Assert.Equal((1UL, 1UL), (device.State.ReportedVersion, device.State.AcknowledgedVersion));
        Assert.Equal(["agent-started"], report.Events.Select(e => e.Kind));
    }

    [Fact]
    public async Task An_unchanged_device_sends_no_report()
    {
        var requests = new List<SyncRequest>();
        var device = TestDevice.EnrolledAt(_headquarters).Start(request =>
        {
            requests.Add(request);
            return _headquarters.Sync(request);
        });

        device.RoundEnded += _ => device.SyncSoon();
        await TestDevice.RunUntil(device, _ => requests.Count >= 4);

        Assert.Single(_headquarters.Reports);
        Assert.All(requests.Skip(1), r => Assert.True(r.Envelope.IsEmpty));
    }

    [Fact]
    public async Task A_desired_document_is_applied_and_reported_in_the_same_round()
    {
        _headquarters.Desired = Document(5, ("sync.interval", "30s"), ("till.colour", "green"));
        var device = TestDevice.EnrolledAt(_headquarters).Start(_headquarters.Sync);

        await TestDevice.RunUntil(device, end => end == RoundEnd.Done);

        var report = _headquarters.Reports[^1];
        Assert.Equal(5UL, report.AppliedVersion);
        Assert.Equal("30s", report.Settings["sync.interval"]);
        Assert.Equal("green", report.Settings["till.colour"]);
        Assert.False(device.State.AwaitsAck);
    }

    [Fact]
    public async Task A_setting_that_can_not_be_applied_is_reported_as_a_problem()
    {
        _headquarters.Desired = Document(1, ("sync.interval", "soon"));
        var device = TestDevice.EnrolledAt(_headquarters).Start(_headquarters.Sync);

        await TestDevice.RunUntil(device, end => end == RoundEnd.Done);

        Assert.Contains("sync.interval", Assert.Single(_headquarters.Reports[^1].Problems));
        Assert.Equal("15m", _headquarters.Reports[^1].Settings["sync.interval"]);
    }

    [Fact]
    public async Task A_held_report_is_not_acknowledged_and_is_sent_again_to_the_byte()
    {
        var sent = new List<ByteString>();
        var device = TestDevice.EnrolledAt(_headquarters).Start(request =>
        {
            sent.Add(request.Envelope);
            return sent.Count < 3 ? new SyncReply { Outcome = SyncReply.Types.Outcome.Held } : _headquarters.Sync(request);
        });

        var ends = new List<RoundEnd>();
        device.RoundEnded += ends.Add;
        await TestDevice.RunUntil(device, end => end == RoundEnd.Done);

        Assert.Equal([RoundEnd.Held, RoundEnd.Held, RoundEnd.Done], ends);
        Assert.Single(sent.Distinct());
    }

    [Fact]
    public async Task A_killed_device_goes_on_with_the_same_report_version_and_content()
    {
        var test = TestDevice.EnrolledAt(_headquarters);
        ByteString? before = null;
        var first = test.Start(request =>
        {
            before = request.Envelope;
            throw new CarrierException("cut");
        });
        await TestDevice.RunUntil(first, end => end == RoundEnd.Failed);

        var versions = new List<(ulong Version, ByteString Envelope)>();
        var second = test.Start(request =>
        {
            versions.Add((request.ReportedVersion, request.Envelope));
            return _headquarters.Sync(request);
        });
        await TestDevice.RunUntil(second, end => end == RoundEnd.Done);

        // The restart itself is an event, so it makes version 2; version 1 was never used for anything else.
        Assert.Equal(2UL, versions[0].Version);
        Assert.NotEqual(before, versions[0].Envelope);
        Assert.Equal([1UL, 2UL], _headquarters.Reports[^1].Events.Select(e => e.Number));
    }

    [Fact]
    public async Task A_carrier_that_wants_the_report_gets_it_although_it_was_acknowledged()
    {
        var requests = new List<SyncRequest>();
        var device = TestDevice.EnrolledAt(_headquarters).Start(request =>
        {
            requests.Add(request);
            return requests.Count == 2 ? new SyncReply { Outcome = SyncReply.Types.Outcome.ReportWanted } : _headquarters.Sync(request);
        });

        device.RoundEnded += _ => device.SyncSoon();
        await TestDevice.RunUntil(device, _ => requests.Count >= 3);

        Assert.True(requests[1].Envelope.IsEmpty);
        Assert.Equal(requests[0].Envelope, requests[2].Envelope);
    }

    [Fact]
    public async Task A_carrier_that_always_wants_the_report_can_not_make_the_device_spin()
    {
        var syncs = 0;
        var device = TestDevice.EnrolledAt(_headquarters).Start(_ =>
        {
            syncs++;
            return new SyncReply { Outcome = SyncReply.Types.Outcome.ReportWanted };
        });

        await TestDevice.RunUntil(device, _ => true);

        Assert.InRange(syncs, 1, 4);
    }

    [Fact]
    public async Task The_device_falls_through_to_the_next_carrier_and_returns_to_the_preferred_one()
    {
        var preferredUp = false;
        var through = new List<string>();
        var preferred = new FakeChannel("gw1.leeds", request =>
        {
            through.Add("gw1.leeds");
            return preferredUp ? _headquarters.Sync(request) : throw new CarrierException("down");
        });
        var second = new FakeChannel("gw2.leeds", request =>
        {
            through.Add("gw2.leeds");
            return _headquarters.Sync(request);
        });
        var device = TestDevice.EnrolledAt(_headquarters).Start(new FakeCarriers(preferred, second));

        device.RoundEnded += _ =>
        {
            preferredUp = true;
            device.SyncSoon();
        };
        await TestDevice.RunUntil(device, _ => through.Count > 2 && device.State.ReachedThrough == "gw1.leeds");

        Assert.Equal(["gw1.leeds", "gw2.leeds"], through.Take(2));
        Assert.Equal("gw1.leeds", through[^1]);
    }

    [Theory]
    [InlineData("desired")]
    [InlineData("ack")]
    public async Task An_altered_envelope_is_refused_told_and_changes_nothing(string which)
    {
        _headquarters.Desired = Document(7, ("till.colour", "red"));
        var hostile = new FakeChannel("evil.leeds", request =>
        {
            var reply = _headquarters.Sync(request);
            var index = which == "ack" ? 0 : reply.Envelopes.Count - 1;
            var bytes = reply.Envelopes[index].ToByteArray();
            bytes[^1] ^= 1;
            return new SyncReply { Outcome = SyncReply.Types.Outcome.Delivered, Envelopes = { ByteString.CopyFrom(bytes) } };
        });
        var honest = new FakeChannel("gw2.leeds", request => throw new CarrierException("down"));
        var test = TestDevice.EnrolledAt(_headquarters);
        var device = test.Start(new FakeCarriers(hostile, honest));

        Assert.Equal(RoundEnd.Failed, await TestDevice.RunUntil(device, _ => true));

        Assert.Equal((0UL, 0UL), (device.State.DesiredVersion, device.State.AcknowledgedVersion));
        var restarted = test.Start(new FakeCarriers(new FakeChannel("gw2.leeds", _headquarters.Sync)));
        await TestDevice.RunUntil(restarted, end => end == RoundEnd.Done);
        Assert.Contains(_headquarters.Reports[^1].Events.Concat(_headquarters.Reports[0].Events).Concat(_headquarters.Reports.SelectMany(r => r.Events)),
            e => e.Kind == "envelope-refused" && e.Text.Contains("evil.leeds"));
    }

    [Fact]
    public async Task A_hostile_carrier_is_shown_as_a_problem_through_an_honest_one()
    {
        var hostile = new FakeChannel("evil.leeds", _ => new SyncReply { Envelopes = { ByteString.CopyFrom([1, 2, 3]) } });
        var device = TestDevice.EnrolledAt(_headquarters).Start(new FakeCarriers(hostile, new FakeChannel("gw2.leeds", _headquarters.Sync)));

        await TestDevice.RunUntil(device, end => end == RoundEnd.Done);

        Assert.Contains("evil.leeds", Assert.Single(_headquarters.Reports[^1].Problems));
    }

    [Fact]
    public async Task A_sealed_refusal_of_a_clone_is_kept_as_history_and_does_not_acknowledge()
    {
        var refused = false;
        var device = TestDevice.EnrolledAt(_headquarters).Start(request =>
        {
            if (refused)
                return _headquarters.Sync(request);
            refused = true;
            var ack = _headquarters.Take(request.Envelope, new Refusal { Code = (int)RefusalCode.Clone, Detail = "another machine uses this identity" });
            return new SyncReply { Outcome = SyncReply.Types.Outcome.Delivered, Envelopes = { ByteString.CopyFrom(ack) } };
        });
        var ends = new List<RoundEnd>();
        device.RoundEnded += ends.Add;

        await TestDevice.RunUntil(device, end => end == RoundEnd.Done);

        Assert.Equal([RoundEnd.Failed, RoundEnd.Done], ends);
        Assert.Contains(_headquarters.Reports[^1].Events, e => e.Kind == "report-refused" && e.Text.Contains("another machine"));
    }

    [Fact]
    public async Task A_cloned_device_reports_its_own_machine_and_run()
    {
        var test = TestDevice.EnrolledAt(_headquarters);
        await TestDevice.RunUntil(test.Start(_headquarters.Sync), end => end == RoundEnd.Done);
        var clone = new DeviceRuntime(test.Storage.Clone(), TestDevice.Options, new OneCarrier(new FakeChannel("gw1.leeds", _headquarters.Sync)),
            new TestDevice.FixedMachine { Fingerprint = [2] }, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, "1.0");

        await TestDevice.RunUntil(clone, end => end == RoundEnd.Done);

        Assert.Equal(2, _headquarters.Reports.Count);
        Assert.NotEqual(_headquarters.Reports[0].RunId, _headquarters.Reports[1].RunId);
        Assert.Equal([2], _headquarters.Reports[1].Machine.ToByteArray());
    }

    [Fact]
    public async Task A_restored_copy_goes_on_above_what_headquarters_has()
    {
        var device = TestDevice.EnrolledAt(_headquarters).Start(request => request.ReportedVersion < 9
            ? new SyncReply { Outcome = SyncReply.Types.Outcome.Delivered, Envelopes = { ByteString.CopyFrom(_headquarters.Acknowledge(8, 0)) } }
            : _headquarters.Sync(request));

        await TestDevice.RunUntil(device, end => end == RoundEnd.Done);

        Assert.Equal(9UL, _headquarters.Reports[0].Version);
        Assert.Contains(_headquarters.Reports[0].Events, e => e.Kind == ReplyRules.StateRestored);
    }

    [Fact]
    public async Task Two_thirds_through_its_life_the_certificate_is_renewed_with_another_key()
    {
        // Issued 5 minutes back for 2 minutes more: more than two thirds are over.
        _headquarters.CertificateLife = TimeSpan.FromMinutes(2);
        var test = TestDevice.EnrolledAt(_headquarters);
        var before = IdentityFiles.Load(test.Storage)!;
        var device = test.Start(_headquarters.Sync);

        await TestDevice.RunUntil(device, end => end == RoundEnd.Done && device.Identity.Previous is null);

        Assert.Equal(2u, device.Identity.Current.Generation);
        Assert.NotEqual(before.Current.PrivateKey, device.Identity.Current.PrivateKey);
        Assert.Null(device.Identity.Next);
        Assert.Equal(2u, IdentityFiles.Load(test.Storage)!.Current.Generation);
        Assert.Contains(_headquarters.Reports[^1].Events.Concat(_headquarters.Reports.SelectMany(r => r.Events)), e => e.Kind == ReplyRules.CertificateRenewed);
    }

    [Fact]
    public async Task A_renewal_whose_answer_is_lost_asks_again_with_the_same_key()
    {
        _headquarters.CertificateLife = TimeSpan.FromMinutes(2);
        var lost = 0;
        var device = TestDevice.EnrolledAt(_headquarters).Start(request =>
        {
            var reply = _headquarters.Sync(request);
            return lost++ < 2 ? throw new CarrierException("the answer was lost") : reply;
        });

        await TestDevice.RunUntil(device, end => end == RoundEnd.Done && device.Identity.Previous is null);

        Assert.Single(_headquarters.Reports.Select(r => r.RenewalRequest).Where(r => !r.IsEmpty).Distinct());
        Assert.Equal(2u, device.Identity.Current.Generation);
    }

    [Fact]
    public async Task A_device_that_is_stopped_while_it_waits_for_its_next_sync_says_goodbye()
    {
        var goodbyes = new List<SyncRequest>();
        var device = TestDevice.EnrolledAt(_headquarters).Start(new OneCarrier(new FakeChannel("gw1.leeds", _headquarters.Sync, goodbyes.Add)));

        await TestDevice.RunUntil(device, end => end == RoundEnd.Done);

        Assert.Equal("d1", Assert.Single(goodbyes).DeviceId);
    }

    [Fact]
    public async Task A_device_that_is_stopped_while_a_carrier_is_asked_says_goodbye()
    {
        using var stop = new CancellationTokenSource();
        var goodbyes = new List<SyncRequest>();
        var device = TestDevice.EnrolledAt(_headquarters).Start(new OneCarrier(new FakeChannel("gw1.leeds", _ =>
        {
            stop.Cancel();
            throw new OperationCanceledException(stop.Token);
        }, goodbyes.Add)));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => device.Run(stop.Token));

        Assert.Single(goodbyes);
    }

    [Fact]
    public async Task Waits_that_no_server_would_name_do_not_break_the_device()
    {
        var senseless = new Duration { Seconds = long.MaxValue, Nanos = -1 };
        var device = TestDevice.EnrolledAt(_headquarters).Start(request =>
        {
            var reply = _headquarters.Sync(request);
            (reply.NextSync, reply.ReturnWithin) = (senseless, senseless);
            return reply;
        });

        Assert.Equal(RoundEnd.Done, await TestDevice.RunUntil(device, _ => true));
    }

    [Fact]
    public async Task A_wake_signal_is_named_until_a_carrier_with_a_link_to_headquarters_took_it()
    {
        var named = new List<ulong>();
        var test = TestDevice.EnrolledAt(_headquarters);
        var keys = IdentityFiles.Load(test.Storage)!.KeysOf(1)!;
        var device = test.Start(request =>
        {
            named.Add(request.WokenBy);
            return named.Count switch
            {
                1 => new SyncReply { Outcome = SyncReply.Types.Outcome.Held },
                2 => new SyncReply { Outcome = SyncReply.Types.Outcome.Refused, HeadquartersReachable = true },
                _ => _headquarters.Sync(request),
            };
        });
        device.Wake(WakeSignal.Make(keys, 7));

        device.RoundEnded += _ => device.SyncSoon();
        await TestDevice.RunUntil(device, _ => named.Count > 3);

        Assert.Equal([7, 7, 7, 0], named.Take(4));
    }

    private static DesiredDocument Document(ulong version, params (string Key, string Value)[] settings)
    {
        var document = new DesiredDocument { Version = version, OfficeId = "leeds" };
        foreach (var (key, value) in settings)
            document.Settings[key] = value;
        return document;
    }
}
