using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;
using Fleet.Messages.Cluster;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using MessagePack;
using MessagePack.Resolvers;

namespace Fleet.Messages.Serialization;

/// <summary>
/// The one serializer of everything that crosses a process or enters a journal: MessagePack arrays with numbered fields, and a manifest that is
/// looked up in a table, never a CLR type name. Add fields at the end; never reuse a number or a manifest (golden file in the architecture tests).
/// </summary>
public sealed class FleetSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    /// <summary>Ids up to 40 are Akka's own.</summary>
    public const int SerializerId = 4100;

    /// <summary>Binds the serializer in every Fleet actor system.</summary>
    public static Config Hocon { get; } = ConfigurationFactory.ParseString($$"""
        akka.actor {
          serializers.fleet = "{{typeof(FleetSerializer).FullName}}, {{typeof(FleetSerializer).Assembly.GetName().Name}}"
          serialization-bindings {
        {{string.Join("\n", Manifests.All.Values.Select(t => $"    \"{t.FullName}, {t.Assembly.GetName().Name}\" = fleet"))}}
          }
        }
        """);

    public override int Identifier => SerializerId;

    public override string Manifest(object o) => o is OfficeEvents many
        ? string.Join(' ', many.Events.Select(e => NameOf(e)).Distinct().Order(StringComparer.Ordinal).Prepend(NameOf(many)))
        : NameOf(o);

    public override byte[] ToBinary(object obj) => MessagePackSerializer.Serialize(obj.GetType(), obj, Codec.Options);

    /// <exception cref="SerializationException">Unknown or malformed; the one kind of fault that Akka logs and survives.</exception>
    public override object FromBinary(byte[] bytes, string manifest)
    {
        if (!Manifests.All.TryGetValue(Manifests.Names(manifest)[0], out var type))
            throw new SerializationException($"unknown message '{Shown(manifest)}': it is of a newer version of Fleet, or of no version");
        try
        {
            return MessagePackSerializer.Deserialize(type, bytes, Codec.Options) ?? throw new SerializationException($"an empty {manifest}");
        }
        catch (MessagePackSerializationException malformed)
        {
            throw new SerializationException($"a malformed {manifest}: {(malformed.InnerException ?? malformed).Message}", malformed);
        }
    }

    private static string NameOf(object o) =>
        Manifests.Of.TryGetValue(o.GetType(), out var manifest) ? manifest : throw new ArgumentException($"{o.GetType().Name} has no manifest: add it to {nameof(Manifests)}");

    private static string Shown(string manifest) => manifest.Length <= 40 ? manifest : manifest[..40] + "…";
}

/// <summary>MessagePack as Fleet uses it.</summary>
public static class Codec
{
    public static MessagePackSerializerOptions Options { get; } = MessagePackSerializerOptions.Standard
        .WithResolver(CompositeResolver.Create([.. IdFormatters.All, new ByManifestFormatter<IOfficeEvent>()], [StandardResolver.Instance]))
        .WithSecurity(MessagePackSecurity.UntrustedData);
}

/// <summary>The table: manifest → type. What holds others of the table says so in its manifest: its own name, then theirs.</summary>
public static class Manifests
{
    /// <summary>All that a manifest names; what it is of comes first.</summary>
    public static string[] Names(string manifest) => manifest.Split(' ');

    public static IReadOnlyDictionary<string, Type> All { get; } = new Dictionary<string, Type>
    {
        // The link.
        ["hello"] = typeof(Hello),
        ["welcome"] = typeof(Welcome),
        ["not-welcome"] = typeof(NotWelcome),
        ["ping"] = typeof(Ping),
        ["pong"] = typeof(Pong),
        ["announce"] = typeof(Announce),
        ["up"] = typeof(UpFrame),
        ["up-stored"] = typeof(UpFrameStored),
        ["down"] = typeof(DownFrame),
        ["goodbye"] = typeof(Goodbye),

        // Office twin: commands and replies.
        ["open-office"] = typeof(OpenOffice),
        ["close-office"] = typeof(CloseOffice),
        ["create-token"] = typeof(CreateToken),
        ["revoke-token"] = typeof(RevokeToken),
        ["enrol"] = typeof(Enrol),
        ["assign-roles"] = typeof(AssignRoles),
        ["set-node-way"] = typeof(SetNodeWay),
        ["remove-node"] = typeof(RemoveNode),
        ["label-device"] = typeof(LabelDevice),
        ["move-device"] = typeof(MoveDevice),
        ["take-in-device"] = typeof(TakeInDevice),
        ["device-taken-in"] = typeof(DeviceTakenIn),
        ["remove-device"] = typeof(RemoveDevice),
        ["request-sync"] = typeof(RequestSync),
        ["request-wake"] = typeof(RequestWake),
        ["wake-office"] = typeof(WakeOffice),
        ["set-connection"] = typeof(SetConnection),
        ["set-node-link"] = typeof(SetNodeLink),
        ["want-connections"] = typeof(WantConnections),
        ["connections-granted"] = typeof(ConnectionsGranted),
        ["wake-accepted"] = typeof(WakeAccepted),
        ["office-wake-accepted"] = typeof(OfficeWakeAccepted),
        ["start-poll"] = typeof(StartPoll),
        ["stop-poll"] = typeof(StopPoll),
        ["schedule-polls"] = typeof(SchedulePolls),
        ["poll-accepted"] = typeof(PollAccepted),
        ["ignore-discovered"] = typeof(IgnoreDiscovered),
        ["network-seen"] = typeof(NetworkSeen),
        ["start-install"] = typeof(StartInstall),
        ["install-accepted"] = typeof(InstallAccepted),
        ["install-secret"] = typeof(InstallSecret),
        ["adopt-rules"] = typeof(AdoptRuleBook),
        ["rules-adopted"] = typeof(RuleBookAdopted),
        ["try-rule"] = typeof(TryRule),
        ["rule-tried"] = typeof(RuleTried),
        ["list-rollout-devices"] = typeof(ListRolloutDevices),
        ["rollout-devices"] = typeof(RolloutDevices),
        ["explain-device"] = typeof(ExplainDevice),
        ["device-explained"] = typeof(DeviceExplained),
        ["adopt-updates"] = typeof(AdoptUpdateBook),
        ["updates-adopted"] = typeof(UpdateBookAdopted),
        ["adopt-policies"] = typeof(AdoptPolicyBook),
        ["policies-adopted"] = typeof(PolicyBookAdopted),
        ["office-accepted"] = typeof(OfficeAccepted),
        ["office-refused"] = typeof(OfficeRefused),
        ["token-made"] = typeof(TokenMade),
        ["enrolment-answer"] = typeof(EnrolmentAnswer),
        ["link-node"] = typeof(LinkNode),
        ["node-welcomed"] = typeof(NodeWelcomed),
        ["unlink-node"] = typeof(UnlinkNode),
        ["node-not-dialled"] = typeof(NodeNotDialled),
        ["take-announce"] = typeof(TakeAnnounce),
        ["take-frame"] = typeof(TakeFrame),
        ["frame-taken"] = typeof(FrameTaken),
        ["send-down"] = typeof(SendDown),
        ["take-forwarded"] = typeof(TakeForwarded),
        ["take-direct"] = typeof(TakeDirect),
        ["direct-answer"] = typeof(DirectAnswer),
        ["get-presence"] = typeof(GetPresence),
        ["office-presence"] = typeof(OfficePresence),
        ["presence-changed"] = typeof(PresenceChanged),

        // Office twin: journal.
        ["office-events"] = typeof(OfficeEvents),
        ["office-opened"] = typeof(OfficeOpened),
        ["office-closed"] = typeof(OfficeClosed),
        ["token-created"] = typeof(TokenCreated),
        ["token-used"] = typeof(TokenUsed),
        ["token-was-revoked"] = typeof(TokenWasRevoked),
        ["enrolment-refused"] = typeof(EnrolmentRefused),
        ["node-enrolled"] = typeof(NodeEnrolled),
        ["node-certified"] = typeof(NodeCertified),
        ["node-roles-assigned"] = typeof(NodeRolesAssigned),
        ["node-way-set"] = typeof(NodeWaySet),
        ["node-reported"] = typeof(NodeReported),
        ["node-event-recorded"] = typeof(NodeEventRecorded),
        ["node-link-changed"] = typeof(NodeLinkChanged),
        ["node-removed"] = typeof(NodeRemoved),
        ["device-enrolled"] = typeof(DeviceEnrolled),
        ["device-certified"] = typeof(DeviceCertified),
        ["device-reported"] = typeof(DeviceReported),
        ["device-event-recorded"] = typeof(DeviceEventRecorded),
        ["device-labelled"] = typeof(DeviceLabelled),
        ["device-desired-changed"] = typeof(DeviceDesiredChanged),
        ["device-wake-requested"] = typeof(DeviceWakeRequested),
        ["device-wake-ended"] = typeof(DeviceWakeEnded),
        ["device-connection-set"] = typeof(DeviceConnectionSet),
        ["device-connection-decided"] = typeof(DeviceConnectionDecided),
        ["node-link-set"] = typeof(NodeLinkSet),
        ["node-link-decided"] = typeof(NodeLinkDecided),
        ["connections-leased"] = typeof(ConnectionsLeased),
        ["device-clone-seen"] = typeof(DeviceCloneSeen),
        ["device-moved-out"] = typeof(DeviceMovedOut),
        ["device-move-done"] = typeof(DeviceMoveDone),
        ["device-moved-in"] = typeof(DeviceMovedIn),
        ["device-removed"] = typeof(DeviceRemoved),
        ["polls-scheduled"] = typeof(PollsScheduled),
        ["poller-chosen"] = typeof(PollerChosen),
        ["poller-released"] = typeof(PollerReleased),
        ["poll-begun"] = typeof(PollBegun),
        ["poll-finished"] = typeof(PollFinished),
        ["node-desired-raised"] = typeof(NodeDesiredRaised),
        ["device-discovered"] = typeof(DeviceDiscovered),
        ["discovered-devices-seen"] = typeof(DiscoveredDevicesSeen),
        ["discovered-device-ignored"] = typeof(DiscoveredDeviceIgnored),
        ["discovered-device-gone"] = typeof(DiscoveredDeviceGone),
        ["agent-install-begun"] = typeof(AgentInstallBegun),
        ["agent-install-joined"] = typeof(AgentInstallJoined),
        ["agent-install-ended"] = typeof(AgentInstallEnded),
        ["office-updates-adopted"] = typeof(OfficeUpdatesAdopted),
        ["office-rules-adopted"] = typeof(OfficeRulesAdopted),
        ["device-placed"] = typeof(DevicePlaced),
        ["office-policies-adopted"] = typeof(OfficePoliciesAdopted),
        ["office-documents-checked"] = typeof(OfficeDocumentsChecked),
        ["office-snapshot"] = typeof(OfficeSnapshot),

        // Company.
        ["add-office"] = typeof(AddOffice),
        ["remove-office"] = typeof(RemoveOffice),
        ["apply-policy"] = typeof(ApplyPolicy),
        ["remove-policy"] = typeof(RemovePolicy),
        ["put-rule"] = typeof(PutRule),
        ["move-rule"] = typeof(MoveRule),
        ["enable-rule"] = typeof(EnableRule),
        ["remove-rule"] = typeof(RemoveRule),
        ["note-repository"] = typeof(NoteRepository),
        ["put-apt-repository"] = typeof(PutAptRepository),
        ["remove-apt-repository"] = typeof(RemoveAptRepository),
        ["put-vendor"] = typeof(PutVendor),
        ["remove-vendor"] = typeof(RemoveVendor),
        ["put-download-task"] = typeof(PutDownloadTask),
        ["remove-download-task"] = typeof(RemoveDownloadTask),
        ["run-download-task"] = typeof(RunDownloadTask),
        ["cancel-download-task"] = typeof(CancelDownloadTask),
        ["pause-download-task"] = typeof(PauseDownloadTask),
        ["update-book-changed"] = typeof(UpdateBookChanged),
        ["create-rollout"] = typeof(CreateRollout),
        ["pause-rollout"] = typeof(PauseRollout),
        ["resume-rollout"] = typeof(ResumeRollout),
        ["halt-rollout"] = typeof(HaltRollout),
        ["withdraw-version"] = typeof(WithdrawVersion),
        ["count-rollouts"] = typeof(CountRollouts),
        ["rollouts-counted"] = typeof(RolloutsCounted),
        ["rollout-created"] = typeof(RolloutCreated),
        ["rollout-ring-succeeded"] = typeof(RolloutRingSucceeded),
        ["rollout-advanced"] = typeof(RolloutAdvanced),
        ["rollout-paused"] = typeof(RolloutPaused),
        ["rollout-resumed"] = typeof(RolloutResumed),
        ["rollout-halted"] = typeof(RolloutHalted),
        ["rollout-done"] = typeof(RolloutDone),
        ["rollout-forgotten"] = typeof(RolloutForgotten),
        ["rule-book-changed"] = typeof(RuleBookChanged),
        ["company-accepted"] = typeof(CompanyAccepted),
        ["company-refused"] = typeof(CompanyRefused),
        ["policy-accepted"] = typeof(PolicyAccepted),
        ["get-policy-book"] = typeof(GetPolicyBook),
        ["office-added"] = typeof(OfficeAdded),
        ["office-removed"] = typeof(OfficeRemoved),
        ["policy-applied"] = typeof(PolicyApplied),
        ["policy-removed"] = typeof(PolicyRemoved),
        ["company-snapshot"] = typeof(CompanySnapshot),

        // Headquarters nodes among themselves.
        ["came-down-direct"] = typeof(CameDownDirect),
        ["office-began"] = typeof(OfficeBegan),
        ["get-cluster-node"] = typeof(GetClusterNode),
        ["cluster-node-state"] = typeof(ClusterNodeState),
        ["drain-cluster-node"] = typeof(DrainClusterNode),
        ["cluster-node-draining"] = typeof(ClusterNodeDraining),
        ["rebuild-read-model"] = typeof(RebuildReadModel),
        ["read-model-rebuilding"] = typeof(ReadModelRebuilding),
    };

    public static IReadOnlyDictionary<Type, string> Of { get; } = All.ToDictionary(p => p.Value, p => p.Key);
}
