using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fleet.Contracts.Api;

/// <summary>The JSON of the REST API: camelCase, absent instead of null. One table for headquarters and its clients.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip)]
[JsonSerializable(typeof(ListPage<OfficeResource>))]
[JsonSerializable(typeof(NewOffice))]
[JsonSerializable(typeof(ListPage<NodeResource>))]
[JsonSerializable(typeof(RoleChange))]
[JsonSerializable(typeof(WayChange))]
[JsonSerializable(typeof(NodeToDial))]
[JsonSerializable(typeof(ListPage<DeviceResource>))]
[JsonSerializable(typeof(DeviceDetailResource))]
[JsonSerializable(typeof(LabelChange))]
[JsonSerializable(typeof(DeviceMove))]
[JsonSerializable(typeof(SyncRequested))]
[JsonSerializable(typeof(WakeRequested))]
[JsonSerializable(typeof(ConnectionChange))]
[JsonSerializable(typeof(LinkChange))]
[JsonSerializable(typeof(WakeOutcome))]
[JsonSerializable(typeof(ListPage<IncidentResource>))]
[JsonSerializable(typeof(ListPage<TokenResource>))]
[JsonSerializable(typeof(NewToken))]
[JsonSerializable(typeof(CreatedToken))]
[JsonSerializable(typeof(ListPage<PolicyResource>))]
[JsonSerializable(typeof(PolicyContent))]
[JsonSerializable(typeof(PolicyChanged))]
[JsonSerializable(typeof(ListPage<PollResource>))]
[JsonSerializable(typeof(NewPoll))]
[JsonSerializable(typeof(PollScheduleResource))]
[JsonSerializable(typeof(PollMethodContent))]
[JsonSerializable(typeof(ListPage<DiscoveredResource>))]
[JsonSerializable(typeof(IgnoreChange))]
[JsonSerializable(typeof(NewInstall))]
[JsonSerializable(typeof(InstallResource))]
[JsonSerializable(typeof(ListPage<RuleResource>))]
[JsonSerializable(typeof(RuleMove))]
[JsonSerializable(typeof(RuleSwitch))]
[JsonSerializable(typeof(ListPage<RuleTouchResource>))]
[JsonSerializable(typeof(ListPage<UpdateResource>))]
[JsonSerializable(typeof(NewUpdate))]
[JsonSerializable(typeof(UpdatePublished))]
[JsonSerializable(typeof(UpdateDetailResource))]
[JsonSerializable(typeof(IReadOnlyList<MissingContent>))]
[JsonSerializable(typeof(ListPage<EventResource>))]
[JsonSerializable(typeof(StatusResource))]
[JsonSerializable(typeof(ProblemResource))]
public sealed partial class ApiJson : JsonSerializerContext;
