using System.Text;
using System.Text.Json.Nodes;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Repository;

namespace Fleet.Updates.Tests.Tuf;

public sealed class TrustedMetadataTests
{
    private readonly TestRepository _repository = new();

    [Fact]
    public void The_four_roles_are_taken_in_order()
    {
        var trusted = All();

        Assert.Equal((1, 1, 1, 1), (trusted.Root.Version, trusted.Timestamp!.Version, trusted.Snapshot!.Version, trusted.Targets!.Version));
        Assert.True(trusted.SnapshotIsCurrent);
        Assert.Throws<InvalidOperationException>(() => trusted.WithRoot(_repository.Current("root")));
        Assert.Throws<InvalidOperationException>(() => Begin().WithSnapshot(_repository.Current("snapshot")));
        Assert.Throws<InvalidOperationException>(() => Begin().WithTargets(_repository.Current("targets")));
    }

    [Theory, InlineData("root"), InlineData("timestamp"), InlineData("snapshot"), InlineData("targets")]
    public void Attack_01_a_role_signed_by_the_key_of_another_is_refused(string role)
    {
        _repository.Promises = false;
        foreach (var stranger in RoleNames.TopLevel.Where(r => r != role))
        {
            var mine = _repository.Keys[role].ToList();
            _repository.Keys[role] = [.. _repository.Keys[stranger]];
            _repository.SetVersion("root", 0);
            _repository.Publish("root", "targets", "snapshot", "timestamp");

            Refused(TufFault.Unsigned, () => All());

            _repository.Keys[role] = mine;
        }
    }

    [Fact]
    public void Attack_01_what_was_changed_after_signing_is_refused()
    {
        var changed = Encoding.UTF8.GetString(_repository.Current("root")).Replace("\"version\":1", "\"version\":2", StringComparison.Ordinal);

        Refused(TufFault.Unsigned, () => Begin().WithRoot(Encoding.UTF8.GetBytes(changed)));
    }

    [Fact]
    public void Attack_01_metadata_of_another_type_is_refused()
    {
        var snapshot = _repository.Snapshot with { Files = new Dictionary<string, MetaFile> { ["snapshot.json"] = new(1) } };
        var disguised = TestRepository.Sign(snapshot, _repository.Keys["timestamp"]);

        Refused(TufFault.Malformed, () => Begin().WithTimestamp(disguised));
    }

    [Fact]
    public void Attack_02_a_threshold_counts_different_public_keys()
    {
        var (one, two) = (SigningKey.NewEd25519(), SigningKey.NewEd25519());
        var document = SignedDocument.Parse(TestRepository.Sign(_repository.Timestamp, one, two), 100_000);
        var renamed = new Dictionary<string, byte[]>(document.Signatures) { ["another id"] = document.Signatures[one.Id] };
        var doubled = document with { Signatures = renamed };

        Assert.True(TestRepository.Signers([one, two], 2).Approve(document));
        Assert.False(TestRepository.Signers([one, two], 3).Approve(document));
        Assert.False(TestRepository.Signers([one, SigningKey.NewEd25519()], 2).Approve(document));
        // GHSA-3633-5h82-39pq: one key under two ids, each with its signature.
        Assert.False(new Signers(new Dictionary<string, TufKey> { [one.Id] = one.Public, ["another id"] = one.Public }, 2).Approve(doubled));
        Assert.False(new Signers(new Dictionary<string, TufKey>
        {
            [one.Id] = one.Public,
            ["another id"] = one.Public with { Public = one.Public.Public.ToUpperInvariant() },
        }, 2).Approve(doubled));
    }

    // GHSA-fphv-w9fq-2525: go-tuf took a threshold of 0, which everything reaches.
    [Theory, InlineData("0"), InlineData("-1"), InlineData("\"1\"")]
    public void Attack_02_a_threshold_below_one_is_refused(string threshold)
    {
        var root = TestRepository.Sign(_repository.Root with { Version = 2 },
            json => json["roles"]!["targets"]!["threshold"] = JsonNode.Parse(threshold), _repository.Keys["root"]);

        Refused(TufFault.Malformed, () => Begin().WithRoot(root));
        Assert.Throws<FormatException>(() => TestRepository.Signers(_repository.Keys["root"], threshold: 0));
    }

    [Fact]
    public void Attack_02_a_signature_listed_twice_is_refused()
    {
        var json = JsonNode.Parse(_repository.Current("timestamp"))!;
        json["signatures"]!.AsArray().Add(json["signatures"]![0]!.DeepClone());

        Refused(TufFault.Malformed, () => Begin().WithTimestamp(Encoding.UTF8.GetBytes(json.ToJsonString())));
    }

    [Fact]
    public void Attack_02_a_key_listed_twice_for_a_role_is_refused()
    {
        var root = TestRepository.Sign(_repository.Root with { Version = 2 },
            json => json["roles"]!["targets"]!["keyids"]!.AsArray().Add(json["roles"]!["targets"]!["keyids"]![0]!.DeepClone()), _repository.Keys["root"]);

        Refused(TufFault.Malformed, () => Begin().WithRoot(root));
    }

    [Fact]
    public void A_signature_that_is_not_valid_takes_nothing_from_the_others()
    {
        var (good, bad) = (_repository.Keys["timestamp"][0], SigningKey.NewEd25519());
        _repository.SetSigners("timestamp", TestRepository.Signers([bad, good]));
        _repository.SetVersion("root", 0);
        _repository.Publish("root");
        var json = JsonNode.Parse(_repository.Current("timestamp"))!;
        json["signatures"]!.AsArray().Insert(0, new JsonObject { ["keyid"] = bad.Id, ["sig"] = "not hexadecimal" });

        Assert.Equal(1, Begin().WithTimestamp(Encoding.UTF8.GetBytes(json.ToJsonString())).Timestamp?.Version);
    }

    [Fact]
    public void Attack_03_a_root_is_signed_as_the_old_and_as_the_new_one_demand()
    {
        var begun = Begin();
        var old = _repository.Keys["root"];
        _repository.Rotate("root");
        var next = _repository.Root with { Version = 2 };

        Refused(TufFault.Unsigned, () => begun.WithRoot(TestRepository.Sign(next, old)));
        Refused(TufFault.Unsigned, () => begun.WithRoot(TestRepository.Sign(next, _repository.Keys["root"])));
        Assert.Equal(2, begun.WithRoot(TestRepository.Sign(next, [.. old, .. _repository.Keys["root"]])).Root.Version);
    }

    [Theory, InlineData(1), InlineData(3), InlineData(long.MaxValue)]
    public void Attack_03_a_root_that_is_not_the_next_is_refused(long version)
    {
        Refused(TufFault.WrongVersion, () => Begin().WithRoot(TestRepository.Sign(_repository.Root with { Version = version }, _repository.Keys["root"])));
    }

    [Fact]
    public void Attack_06_the_highest_version_does_not_overflow()
    {
        _repository.SetVersion("root", long.MaxValue - 1);
        _repository.Publish("root");

        Refused(TufFault.WrongVersion, () => Begin().WithRoot(TestRepository.Sign(_repository.Root with { Version = 1 }, _repository.Keys["root"])));
    }

    [Fact]
    public void Attack_04_an_older_timestamp_is_refused()
    {
        var first = _repository.Current("timestamp");
        _repository.Publish("timestamp");

        var begun = Begin().WithStoredTimestamp(_repository.Current("timestamp"));

        Refused(TufFault.Rollback, () => begun.WithTimestamp(first));
    }

    [Fact]
    public void Attack_04_a_timestamp_that_names_an_older_snapshot_is_refused()
    {
        _repository.Publish("snapshot", "timestamp");
        var begun = Begin().WithStoredTimestamp(_repository.Current("timestamp"));
        _repository.Timestamp = _repository.Timestamp with { Snapshot = new MetaFile(1) };
        _repository.Publish("timestamp");

        Refused(TufFault.Rollback, () => begun.WithTimestamp(_repository.Current("timestamp")));
    }

    [Fact]
    public void Attack_04_a_snapshot_in_which_a_role_is_older_or_missing_is_refused()
    {
        _repository.Delegate("targets", "team", ["team/*"]);
        _repository.Publish("team", "team", "targets", "snapshot", "timestamp");
        var stored = (Timestamp: _repository.Current("timestamp"), Snapshot: _repository.Current("snapshot"));

        _repository.SetSnapshotFile("team", new MetaFile(1));
        _repository.Publish("snapshot", "timestamp");
        Refused(TufFault.Rollback, () => Stored(stored).WithSnapshot(_repository.Current("snapshot")));

        _repository.SetSnapshotFile("team", null);
        _repository.Publish("snapshot", "timestamp");
        Refused(TufFault.Rollback, () => Stored(stored).WithSnapshot(_repository.Current("snapshot")));
    }

    [Theory, InlineData("root"), InlineData("timestamp"), InlineData("snapshot"), InlineData("targets")]
    public void Attack_05_an_expired_role_is_refused(string role)
    {
        _repository.SetExpiry(role, TestRepository.Noon);
        _repository.SetVersion("root", 0);
        _repository.Publish("root", "targets", "snapshot", "timestamp");

        Refused(TufFault.Expired, () => All());
        Assert.Equal(2, All(TestRepository.Noon.AddSeconds(-1)).Timestamp?.Version);
    }

    [Fact]
    public void Attack_05_a_stored_timestamp_does_not_outlive_its_expiry()
    {
        _repository.SetExpiry("timestamp", TestRepository.Noon);
        _repository.Publish("timestamp");

        var begun = Begin().WithStoredTimestamp(_repository.Current("timestamp"));

        Refused(TufFault.Expired, () => begun.WithTimestamp(_repository.Current("timestamp")));
        _repository.SetExpiry("timestamp", TestRepository.Noon.AddDays(1));
        _repository.Publish("timestamp");
        Assert.Equal(3, begun.WithTimestamp(_repository.Current("timestamp")).Timestamp?.Version);
    }

    [Fact]
    public void Expired_roots_in_the_middle_of_the_chain_are_passed_through()
    {
        var first = Begin();
        _repository.SetExpiry("root", TestRepository.Noon.AddDays(-1));
        _repository.Publish("root");
        var second = first.WithRoot(_repository.Current("root"));
        Refused(TufFault.Expired, () => second.WithTimestamp(_repository.Current("timestamp")));

        _repository.SetExpiry("root", TestRepository.Noon.AddDays(1));
        _repository.Publish("root");

        Assert.Equal(1, second.WithRoot(_repository.Current("root")).WithTimestamp(_repository.Current("timestamp")).Timestamp?.Version);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Attack_07_a_snapshot_or_targets_of_another_generation_is_refused(bool promises)
    {
        _repository.Promises = promises;
        var (snapshot, targets) = (_repository.Current("snapshot"), _repository.Current("targets"));
        _repository.Publish("targets", "snapshot", "timestamp");
        var fault = promises ? TufFault.Mismatch : TufFault.WrongVersion;

        var timed = Begin().WithTimestamp(_repository.Current("timestamp"));
        Refused(fault, () => timed.WithSnapshot(snapshot));
        Refused(fault, () => timed.WithSnapshot(_repository.Current("snapshot")).WithTargets(targets));
    }

    [Fact]
    public void Attack_08_another_timestamp_of_the_same_version_is_passed_over()
    {
        var begun = Begin().WithStoredTimestamp(_repository.Current("timestamp"));
        _repository.Timestamp = _repository.Timestamp with { Version = 0, Snapshot = new MetaFile(100) };
        _repository.Publish("timestamp");

        Assert.Equal(1, begun.WithTimestamp(_repository.Current("timestamp")).Timestamp?.Snapshot.Version);
    }

    [Fact]
    public void Attack_13_a_role_is_verified_against_the_delegator_of_this_path()
    {
        var other = SigningKey.NewEd25519();
        _repository.Delegate("targets", "a", ["a/*"]);
        _repository.Delegate("targets", "b", ["b/*"]);
        _repository.Delegate("a", "release", ["a/*"]);
        _repository.Delegate("b", "release", ["b/*"], [other]);
        _repository.Publish("release", "a", "b", "targets", "snapshot", "timestamp");
        var trusted = All();
        var release = _repository.Current("release");

        Assert.Equal(1, trusted.Delegated(release, _repository.Roles["a"].Delegations!.Roles[0]).Version);
        Refused(TufFault.Unsigned, () => trusted.Delegated(release, _repository.Roles["b"].Delegations!.Roles[0]));
    }

    [Fact]
    public void Attack_13_a_role_that_the_snapshot_does_not_list_is_refused()
    {
        _repository.Delegate("targets", "team", ["team/*"]);
        _repository.Publish("team", "targets");
        _repository.SetSnapshotFile("team", null);
        _repository.Publish("snapshot", "timestamp");

        Refused(TufFault.Missing, () => All().Delegated(_repository.Current("team"), _repository.Roles["targets"].Delegations!.Roles[0]));
    }

    [Theory]
    [InlineData("_type", "\"snapshot\"")]
    [InlineData("_type", null)]
    [InlineData("spec_version", "\"2.0.0\"")]
    [InlineData("spec_version", "1")]
    [InlineData("version", "0")]
    [InlineData("version", "\"1\"")]
    [InlineData("expires", "\"2026-12-01\"")]
    [InlineData("expires", "\"2026-12-01T00:00:00+00:00\"")]
    [InlineData("expires", "\"2026-13-01T00:00:00Z\"")]
    [InlineData("targets", "[]")]
    [InlineData("targets", """{"a":{"length":-1,"hashes":{}}}""")]
    [InlineData("targets", """{"a":{"length":1}}""")]
    [InlineData("targets", """{"a":{"length":1,"hashes":{"sha256":"../x"}}}""")]
    [InlineData("delegations", """{"keys":{},"roles":[{"name":"root","keyids":[],"threshold":1,"terminating":false,"paths":[]}]}""")]
    [InlineData("delegations", """{"keys":{},"roles":[{"name":"","keyids":[],"threshold":1,"terminating":false,"paths":[]}]}""")]
    [InlineData("delegations", """{"keys":{},"roles":[{"name":"a","keyids":[],"threshold":1,"terminating":false}]}""")]
    [InlineData("delegations", """{"keys":{},"roles":[{"name":"a","keyids":[],"threshold":1,"terminating":false,"paths":[],"path_hash_prefixes":[]}]}""")]
    [InlineData("delegations", """{"keys":{},"roles":[{"name":"a","keyids":[],"threshold":1,"terminating":1,"paths":[]}]}""")]
    [InlineData("delegations", """{"keys":{},"succinct_roles":{"keyids":[],"threshold":1,"bit_length":33,"name_prefix":"b"}}""")]
    public void Attack_14_signed_nonsense_is_refused(string field, string? value)
    {
        _repository.SetSnapshotFile("targets", new MetaFile(1));
        _repository.Publish("snapshot", "timestamp");
        var targets = TestRepository.Sign(_repository.Roles["targets"], json =>
        {
            json.Remove(field);
            if (value is not null)
                json[field] = JsonNode.Parse(value);
        }, _repository.Keys["targets"]);

        var fault = Refused(TufFault.Malformed, () => Begin().WithTimestamp(_repository.Current("timestamp")).WithSnapshot(_repository.Current("snapshot"))
            .WithTargets(targets));
        Assert.Equal("targets", fault.Subject);
    }

    // A reader that falls over signed nonsense would fall with whoever has the key of one delegated role.
    [Theory, InlineData("root"), InlineData("timestamp"), InlineData("snapshot"), InlineData("targets")]
    public void Attack_14_whatever_is_signed_is_taken_or_refused_and_breaks_nothing(string role)
    {
        var random = new Random(14);
        _repository.Delegate("targets", "team", ["team/*"]);
        _repository.AddTarget("app", [1, 2, 3]);
        _repository.Publish("team", "targets", "snapshot", "timestamp");
        _repository.SetSnapshotFile("targets", new MetaFile(2));
        _repository.Publish("snapshot");
        _repository.Timestamp = _repository.Timestamp with { Snapshot = new MetaFile(_repository.Snapshot.Version) };
        _repository.Publish("timestamp");
        Metadata metadata = role switch
        {
            "root" => _repository.Root with { Version = 2 },
            "timestamp" => _repository.Timestamp,
            "snapshot" => _repository.Snapshot,
            _ => _repository.Roles["targets"],
        };

        var outcomes = Enumerable.Range(0, 400).Select(_ =>
        {
            var document = TestRepository.Sign(metadata, json => Spoil(json, random), _repository.Keys[role]);
            return Record.Exception(() => role switch
            {
                "root" => Begin().WithRoot(document),
                "timestamp" => Begin().WithTimestamp(document),
                "snapshot" => Begin().WithTimestamp(_repository.Current("timestamp")).WithSnapshot(document),
                _ => Begin().WithTimestamp(_repository.Current("timestamp")).WithSnapshot(_repository.Current("snapshot")).WithTargets(document),
            });
        }).ToList();

        Assert.All(outcomes, fault => Assert.True(fault is null or TufException, $"{fault}"));
        Assert.Contains(outcomes, fault => fault is TufException { Fault: TufFault.Malformed });
        Assert.Contains(outcomes, fault => fault is null);
    }

    [Fact]
    public void Attack_14_metadata_over_its_limit_is_refused_before_it_is_read()
    {
        Refused(TufFault.Malformed, () => Begin().WithTimestamp([.. _repository.Current("timestamp"), .. new byte[MetadataLimits.Timestamp]]));
    }

    [Fact]
    public void Unknown_fields_are_signed_like_the_others()
    {
        var keys = _repository.Keys["timestamp"];
        var richer = TestRepository.Sign(_repository.Timestamp, json => json["x-note"] = new JsonObject { ["z"] = 1, ["a"] = "é\"" }, keys);
        var changed = Encoding.UTF8.GetString(richer).Replace("\"z\":1", "\"z\":2", StringComparison.Ordinal);

        Assert.Equal(1, Begin().WithTimestamp(richer).Timestamp?.Version);
        Refused(TufFault.Unsigned, () => Begin().WithTimestamp(Encoding.UTF8.GetBytes(changed)));
    }

    [Theory]
    [InlineData("sha256", "", true)]
    [InlineData("sha512", "", true)]
    [InlineData("sha256", "sha512", true)]
    [InlineData("sha256", "!sha512", false)]
    [InlineData("!sha256", "sha512", false)]
    [InlineData("md5", "", false)]
    [InlineData("sha256", "md5", true)]
    public void Attack_15_one_known_hash_is_needed_and_all_known_ones_must_match(string one, string other, bool matches)
    {
        var content = "content"u8.ToArray();
        var hashes = new[] { one, other }.Where(a => a.Length > 0).ToDictionary(a => a.TrimStart('!'), a => Hash(a, content));

        Assert.Equal(matches, new ContentHashes(hashes).Match(content));
        Assert.False(new ContentHashes(hashes).Match("other"u8));
    }

    // Puts a strange value in the place of one somewhere in the document, or takes one out.
    private static void Spoil(JsonObject json, Random random)
    {
        JsonNode?[] strange = [null, true, -1, 0, long.MaxValue, "", "x", "2026-06-01T12:00:00Z", "\ud83d\ude00", new JsonArray(), new JsonObject(), new JsonArray(1)];
        JsonNode at = json;
        while (true)
        {
            var inner = Children(at).Where(c => Children(c.Value).Any()).ToList();
            if (inner.Count > 0 && random.Next(4) > 0)
            {
                at = inner[random.Next(inner.Count)].Value!;
                continue;
            }

            var (name, _) = random.GetItems(Children(at).ToArray(), 1)[0];
            var value = random.GetItems(strange, 1)[0]?.DeepClone();
            if (at is JsonArray array)
                array[int.Parse(name, System.Globalization.CultureInfo.InvariantCulture)] = value;
            else if (random.Next(5) == 0)
                at.AsObject().Remove(name);
            else
                at[name] = value;
            return;
        }
    }

    private static IEnumerable<(string Name, JsonNode? Value)> Children(JsonNode? node) => node switch
    {
        JsonObject members => members.Select(m => (m.Key, m.Value)),
        JsonArray items => items.Select((item, i) => ($"{i}", item)),
        _ => [],
    };

    private static string Hash(string algorithm, byte[] content) => algorithm switch
    {
        "sha256" => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(content)),
        "sha512" => Convert.ToHexStringLower(System.Security.Cryptography.SHA512.HashData(content)),
        _ => new string('0', 64),
    };

    private TrustedMetadata Begin(DateTimeOffset? start = null) => TrustedMetadata.From(_repository.Current("root"), start ?? TestRepository.Noon);

    private TrustedMetadata All(DateTimeOffset? start = null) => Begin(start).WithTimestamp(_repository.Current("timestamp"))
        .WithSnapshot(_repository.Current("snapshot")).WithTargets(_repository.Current("targets"));

    private TrustedMetadata Stored((byte[] Timestamp, byte[] Snapshot) stored) =>
        Begin().WithStoredTimestamp(stored.Timestamp).WithTimestamp(_repository.Current("timestamp")).WithStoredSnapshot(stored.Snapshot);

    private static TufException Refused(TufFault fault, Func<object> act)
    {
        var refusal = Assert.Throws<TufException>(() => { act(); });
        Assert.True(fault == refusal.Fault, $"{refusal.Fault}: {refusal.Message}");
        return refusal;
    }
}
