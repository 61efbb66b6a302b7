using System.Reflection;
using System.Runtime.CompilerServices;
using Fleet.Contracts;
using Fleet.Headquarters.Links;
using Fleet.Messages.Link;
using MessagePack;

namespace Fleet.Headquarters.Tests.Links;

/// <summary>The rules of the door and the link that need no actor.</summary>
public sealed class LinkRulesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DeviceId Till = new("till-1");
    private static readonly OfficeId Leeds = new("leeds");

    public static TheoryData<string, UpFrame> Sound => new()
    {
        { "nothing", new UpFrame("e", 1, []) },
        { "envelope", new UpFrame("e", 1, [new DeviceEnvelopeUp(Till, new byte[48 * 1024], Leeds)]) },
        { "presence", new UpFrame("e", 1, [new PresenceDigest([new DeviceSeen(Till, Noon)])]) },
        { "installation", new UpFrame("e", 1, [new InstallProgress(new InstallId("i-1"), InstallStep.Copying), new InstallEnded(new InstallId("i-1"), InstallOutcome.Installed, "", "")]) },
        { "wanted", new UpFrame("e", 1, [new DesiredWanted(Till, 0, Leeds)]) },
    };

    public static TheoryData<string, UpFrame> Unsound => new()
    {
        { "no items", new UpFrame("e", 1, null!) },
        { "no device", new UpFrame("e", 1, [new DeviceEnvelopeUp(default, new byte[1], Leeds)]) },
        { "no office", new UpFrame("e", 1, [new DesiredWanted(Till, 0, default)]) },
        { "empty envelope", new UpFrame("e", 1, [new DeviceEnvelopeUp(Till, default, Leeds)]) },
        { "nobody seen", new UpFrame("e", 1, [new PresenceDigest([null!])]) },
        { "no roles", new UpFrame("e", 1, [new NodeReport(0, null!, [], "", "", Noon, [], [], [], "", [], null)]) },
        { "long text", new UpFrame("e", 1, [new NodeEvent(1, Noon, "x", new string('x', 1001))]) },
        { "no installation", new UpFrame("e", 1, [new InstallProgress(default, InstallStep.Copying)]) },
        { "no host key", new UpFrame("e", 1, [new InstallEnded(new InstallId("i-1"), InstallOutcome.Failed, "", null!)]) },
        { "no request id", new UpFrame("e", 1, [new EnrolmentUp(null!, new byte[1])]) },
    };

    public static TheoryData<Type> Kinds => [.. typeof(IUpItem).GetCustomAttributes<UnionAttribute>().Select(u => u.SubType)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_kind_of_item_has_its_check(Type kind)
    {
        var empty = (IUpItem)RuntimeHelpers.GetUninitializedObject(kind);

        Assert.DoesNotContain($"an item of kind {kind.Name}", LinkChecks.Problem(new UpFrame("e", 1, [empty])) ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Sound))]
    public void What_is_sound_passes(string what, UpFrame frame) => Assert.True(LinkChecks.Problem(frame) is null, what);

    [Theory]
    [MemberData(nameof(Unsound))]
    public void What_lacks_a_part_or_is_too_long_is_named(string what, UpFrame frame) => Assert.True(LinkChecks.Problem(frame) is not null, what);
}
