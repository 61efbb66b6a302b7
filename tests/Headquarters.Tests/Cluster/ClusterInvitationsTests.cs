using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Contracts.Storage;
using Fleet.Headquarters.Cluster;
using Fleet.Headquarters.Identity;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Headquarters.Tests.Cluster;

public sealed class ClusterInvitationsTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-invite-").FullName;
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);
    private readonly CertificateAuthority _authority;
    private readonly ClusterInvitations _invitations;

    public ClusterInvitationsTests()
    {
        using var data = DataDirectory.Open(_directory, "headquarters");
        _authority = CertificateAuthority.OpenOrCreate(_directory, new IdentityOptions(TimeSpan.FromDays(30)), _clock);
        AdminCredentials.OpenOrCreate(data, PeerTrust.PinOf(_authority.Authority));
        _invitations = new ClusterInvitations(_directory, _authority, _clock, NullLogger<ClusterInvitations>.Instance);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void It_brings_what_makes_a_node_of_this_headquarters_but_not_the_administrators_token()
    {
        var (invitation, _) = _invitations.Make("test");

        var files = _invitations.Take(invitation.Bearer, "127.0.0.1");

        Assert.Equal(["admin.hash", "identity/authority.crt", "identity/authority.key", "identity/envelope.key"], files!.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(PeerTrust.PinOf(_authority.Authority), invitation.CaPin);
    }

    [Fact]
    public void It_is_good_once()
    {
        var (invitation, _) = _invitations.Make("test");
        _invitations.Take(invitation.Bearer, "127.0.0.1");

        Assert.Null(_invitations.Take(invitation.Bearer, "127.0.0.1"));
    }

    [Fact]
    public void It_is_good_until_it_runs_out_and_no_other_secret_is()
    {
        var (invitation, expires) = _invitations.Make("test");
        _clock.Advance(expires - _clock.GetUtcNow());

        Assert.Null(_invitations.Take(invitation.Bearer, "127.0.0.1"));
        Assert.Null(_invitations.Take(AdminToken.Create(invitation.CaPin).Bearer, "127.0.0.1"));
        Assert.Null(_invitations.Take("not a secret", "127.0.0.1"));
    }
}
