using Fleet.Contracts.Agents;
using Google.Protobuf;

namespace Fleet.Contracts.Tests;

public sealed class JoinTokenTests
{
    private readonly JoinToken _token = JoinToken.Create(new OfficeId("leeds"), new TokenId("t1"), new byte[32]);

    [Fact]
    public void A_token_reads_back_from_its_text()
    {
        Assert.True(JoinToken.TryParse($"  {_token.ToText()}\n", out var read, out _));

        Assert.Equal((_token.Office, _token.Id), (read.Office, read.Id));
        Assert.Equal(_token.Secret, read.Secret);
        Assert.Equal(_token.CaPin, read.CaPin);
    }

    [Fact]
    public void A_token_never_shows_its_secret_by_accident() => Assert.Equal("join token t1 of leeds", _token.ToString());

    [Fact]
    public void A_token_cut_at_any_place_is_refused_with_a_reason()
    {
        var text = _token.ToText();

        for (var length = 0; length < text.Length; length++)
        {
            Assert.False(JoinToken.TryParse(text[..length], out _, out var problem), $"cut to {length} characters it was read");
            Assert.NotEmpty(problem);
        }
    }

    [Theory]
    [InlineData("fleetadmin1.abc.def")]
    [InlineData("fleet1.LEEDS.t1.AAAA.AAAA")]
    [InlineData("fleet1.leeds.t1.!!!!.AAAA")]
    public void What_is_no_token_is_refused(string text) => Assert.False(JoinToken.TryParse(text, out _, out _));

    [Fact]
    public void The_proof_of_a_request_covers_each_field()
    {
        var request = Request();
        var proof = EnrolmentProof.ForRequest(_token.Secret, request);

        Action<EnrolRequest>[] changes =
        [
            r => r.TokenId = "t2", r => r.OfficeId = "york", r => r.Kind = JoinKind.Node, r => r.Name = "till-2",
            r => r.CertificateRequest = ByteString.CopyFrom([9]), r => r.Machine = ByteString.CopyFrom([9]),
            // A byte that wanders from one field to the next must not go unseen.
            r => (r.TokenId, r.OfficeId) = ("t1l", "eeds"),
        ];
        foreach (var change in changes)
        {
            var changed = Request();
            change(changed);
            Assert.False(EnrolmentProof.Matches(proof, EnrolmentProof.ForRequest(_token.Secret, changed)));
        }

        Assert.True(EnrolmentProof.Matches(proof, EnrolmentProof.ForRequest(_token.Secret, Request())));
        Assert.False(EnrolmentProof.Matches(proof, EnrolmentProof.ForRequest(new byte[32], Request())));
    }

    [Fact]
    public void The_proof_of_a_reply_covers_identity_chain_and_key()
    {
        var proof = EnrolmentProof.ForReply(_token.Secret, Request(), Reply());

        Action<Enrolled>[] changes =
        [
            r => r.Id = "d2", r => r.OfficeId = "york", r => r.DeviceId = "d3", r => r.HeadquartersKey = ByteString.CopyFrom([9]),
            r => r.CertificateChain[0] = ByteString.CopyFrom([9]), r => r.CertificateChain.Add(ByteString.CopyFrom([9])), r => r.CertificateChain.RemoveAt(1),
        ];
        foreach (var change in changes)
        {
            var changed = Reply();
            change(changed);
            Assert.False(EnrolmentProof.Matches(proof, EnrolmentProof.ForReply(_token.Secret, Request(), changed)));
        }

        var otherRequest = Request();
        otherRequest.CertificateRequest = ByteString.CopyFrom([9]);
        Assert.False(EnrolmentProof.Matches(proof, EnrolmentProof.ForReply(_token.Secret, otherRequest, Reply())));
    }

    private static EnrolRequest Request() => new()
    {
        TokenId = "t1", OfficeId = "leeds", Kind = JoinKind.Agent, Name = "till-1", CertificateRequest = ByteString.CopyFrom([1, 2]), Machine = ByteString.CopyFrom([3]),
    };

    private static Enrolled Reply() => new()
    {
        Id = "d1", OfficeId = "leeds", HeadquartersKey = ByteString.CopyFrom([4]), CertificateChain = { ByteString.CopyFrom([5]), ByteString.CopyFrom([6]) },
    };
}
