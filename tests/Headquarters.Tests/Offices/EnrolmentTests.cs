using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Offices;
using Fleet.Messages.Offices;
using Google.Protobuf;
using Microsoft.Extensions.Time.Testing;
using static Fleet.Headquarters.Tests.Offices.Situation;
using JoinKind = Fleet.Messages.Offices.JoinKind;
using Kind = Fleet.Contracts.Agents.JoinKind;

namespace Fleet.Headquarters.Tests.Offices;

public sealed class EnrolmentTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-enrolment-").FullName;
    private readonly CertificateAuthority _authority;
    private readonly Machine _machine = new("till-1");

    public EnrolmentTests() => _authority = CertificateAuthority.OpenOrCreate(_directory, new IdentityOptions(TimeSpan.FromDays(30)), new FakeTimeProvider(Noon));

    public void Dispose()
    {
        _machine.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void A_good_token_admits_is_spent_and_the_answer_is_proven()
    {
        var (office, token) = WithToken(JoinKind.Agent);
        var request = _machine.Join(token);

        var decision = Decide(office, request);

        var after = office.Apply(decision.Events);
        Assert.Equal(1, after.Tokens[token.Id].Used);
        Assert.True(after.Devices.ContainsKey(Till));
        Assert.True(EnrolmentProof.Matches(EnrolmentProof.ForReply(token.Secret, request, decision.Reply.Enrolled), decision.Reply.Enrolled.Proof.Span));
    }

    [Fact]
    public void The_same_request_again_gets_the_same_identity_and_spends_nothing()
    {
        var (office, token) = WithToken(JoinKind.Agent);
        var first = Decide(office, _machine.Join(token));
        var after = office.Apply(first.Events);

        var again = Enrolment.Decide(after, _machine.Join(token), _authority, new DeviceId("d-another"), Noon);

        Assert.Equal(first.Reply.Enrolled.Id, again.Reply.Enrolled.Id);
        Assert.Equal(1, after.Apply(again.Events).Tokens[token.Id].Used);
        Assert.Single(after.Apply(again.Events).Devices);
    }

    [Fact]
    public void A_second_machine_finds_the_token_spent()
    {
        var (office, token) = WithToken(JoinKind.Agent);
        var after = office.Apply(Decide(office, _machine.Join(token)).Events);
        using var other = new Machine("till-2");

        AssertRefused(RefusalCode.TokenSpent, Decide(after, other.Join(token)));
    }

    [Fact]
    public void An_expired_token_is_refused()
    {
        var (office, token) = WithToken(JoinKind.Agent);

        AssertRefused(RefusalCode.TokenExpired, Enrolment.Decide(office, _machine.Join(token), _authority, Till, Noon.AddHours(1)));
    }

    [Fact]
    public void A_revoked_token_is_refused()
    {
        var (office, token) = WithToken(JoinKind.Agent);
        var revoked = office.Apply(office.Decide(new RevokeToken(Leeds, token.Id, "test"), Noon).Events);

        AssertRefused(RefusalCode.TokenRevoked, Decide(revoked, _machine.Join(token)));
    }

    [Fact]
    public void A_token_of_another_office_is_refused()
    {
        var (_, token) = WithToken(JoinKind.Agent);

        AssertRefused(RefusalCode.WrongOffice, Decide(Open(York), _machine.Join(token)));
    }

    [Fact]
    public void A_token_for_nodes_admits_no_agent()
    {
        var (office, token) = WithToken(JoinKind.Node);

        AssertRefused(RefusalCode.WrongKind, Decide(office, _machine.Join(token, Kind.Agent)));
    }

    [Fact]
    public void A_carrier_that_swaps_the_key_is_found_out()
    {
        var (office, token) = WithToken(JoinKind.Agent);
        using var thief = new Machine("thief");
        var request = _machine.Join(token);
        request.CertificateRequest = thief.Join(token).CertificateRequest;

        AssertRefused(RefusalCode.ProofFailed, Decide(office, request));
    }

    [Fact]
    public void A_certificate_request_that_is_none_is_refused()
    {
        var (office, token) = WithToken(JoinKind.Agent);
        var request = _machine.Join(token);
        request.CertificateRequest = ByteString.CopyFrom(1, 2, 3);
        request.Proof = ByteString.CopyFrom(EnrolmentProof.ForRequest(token.Secret, request));

        AssertRefused(RefusalCode.Invalid, Decide(office, request));
    }

    [Fact]
    public void A_node_brings_its_own_machine_and_its_name_is_taken_for_others()
    {
        var (office, token) = WithToken(JoinKind.Node, uses: 2);
        using var gateway = new Machine("gw1");
        using var other = new Machine("gw1");

        var decision = Decide(office, gateway.Join(token, Kind.Node));
        var after = office.Apply(decision.Events);

        Assert.Equal(("gw1.leeds", Till.Value), (decision.Reply.Enrolled.Id, decision.Reply.Enrolled.DeviceId));
        Assert.True(after.Devices.ContainsKey(Till));
        AssertRefused(RefusalCode.AlreadyExists, Decide(after, other.Join(token, Kind.Node)));
    }

    private EnrolmentDecision Decide(Office office, EnrolRequest request) => Enrolment.Decide(office, request, _authority, Till, Noon);

    private static (Office, JoinToken) WithToken(JoinKind kind, int uses = 1)
    {
        var token = JoinToken.Create(Leeds, new TokenId("t-1"), new byte[32]);
        var decision = Open(Leeds).Decide(new CreateToken(Leeds, kind, uses, TimeSpan.FromHours(1), "test"), token, Noon);
        return (Open(Leeds).Apply(decision.Events), token);
    }

    private static void AssertRefused(RefusalCode code, EnrolmentDecision decision)
    {
        Assert.Equal(code, (RefusalCode)decision.Reply.Refusal.Code);
        Assert.Equal(code, decision.Refusal!.Code);
        Assert.Empty(decision.Events);
    }
}
