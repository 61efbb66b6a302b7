using Fleet.Contracts.Envelopes;
using Fleet.Headquarters.Tests.Offices;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using static Fleet.Headquarters.Tests.TestCompany;
using TestKit = Akka.TestKit.Xunit2.TestKit;

namespace Fleet.Headquarters.Tests.Updates;

public sealed class SourcePasswordTests
{
    [Fact]
    public async Task A_distribution_point_reads_a_sources_password_and_the_journal_does_not_show_it()
    {
        await using var company = await Start(offices: [Leeds]);
        var node = await LinkedNode.Join(company, new TestKit(company.System).CreateTestProbe(), Leeds, "gw1");
        await company.Office(new AssignRoles(Leeds, node.Id, [NodeRole.DistributionPoint], [], "test"));
        var kept = NodeSecret.Seal(company.Authority.EnvelopePublicKey, UpdatePlans.KeptPassword, "pa55word-of-cdn"u8);
        var vendor = new UpdateSource(UpdateSourceKind.Vendor, "https://cdn.example.org", User: "shop", Password: kept);

        await company.Company(new NoteRepository(new byte[] { 1 }, 1));
        await company.Company(new PutDownloadTask(new DownloadTask("nightly", [], [vendor], [], DownloadTask.OnChange, "UTC", TimeSpan.Zero, [], 0, Paused: false), "test"));
        var desired = await node.Down<NodeDesired>(d => d.Updates?.Tasks.Count == 1);

        var sent = desired.Updates!.Tasks[0].Sources[0];
        Assert.Equal("pa55word-of-cdn"u8.ToArray(), node.Machine.OpenSecret(UpdateSource.PasswordPurpose, sent.Password));
        Assert.False(await company.Stores("pa55word-of-cdn"));
    }
}
