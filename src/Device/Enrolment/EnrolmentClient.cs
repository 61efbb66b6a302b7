using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Identity;
using Fleet.Device.Settings;
using Fleet.Device.Sync;

namespace Fleet.Device.Enrolment;

/// <summary>
/// Carries an enrolment to headquarters, directly or through a gateway. The server must show, inside the TLS handshake, a certificate of the CA that
/// the token pins; nothing is sent to any other. The token's secret is never sent, and the reply must prove knowledge of it.
/// </summary>
public sealed class EnrolmentClient(ByteDialler dial, DeviceOptions options, TimeProvider clock)
{
    private static readonly HashSet<RefusalCode> Passing = [RefusalCode.HeadquartersUnreachable, RefusalCode.Busy];

    /// <summary>Tries each address once, in order.</summary>
    public async Task<EnrolmentOutcome> Enrol(PendingEnrolment pending, CancellationToken cancellation)
    {
        var request = pending.ToRequest();
        var faults = new List<string>();
        TimeSpan? wait = null;
        foreach (var address in pending.Reach.Addresses)
        {
            try
            {
                var (reply, through) = await Ask(address, pending, request, cancellation).ConfigureAwait(false);
                if (reply.ResultCase == EnrolReply.ResultOneofCase.Enrolled)
                {
                    if (Problem(pending, request, reply.Enrolled) is not { } wrong)
                        return new EnrolmentOutcome.Accepted(reply.Enrolled, through);
                    faults.Add($"{address}: {wrong}");
                    continue;
                }

                var refusal = reply.Refusal ?? new Refusal { Code = (int)RefusalCode.Invalid, Detail = "the answer is empty" };
                if (!Passing.Contains((RefusalCode)refusal.Code))
                    return new EnrolmentOutcome.Refused((RefusalCode)refusal.Code, $"{through}: {refusal.Detail}");
                wait ??= RetryAfter.Read(refusal.RetryAfter);
                faults.Add((RefusalCode)refusal.Code == RefusalCode.HeadquartersUnreachable
                    ? $"{address}: gateway {through} can't reach headquarters now"
                    : $"{address}: {refusal.Detail}");
            }
            catch (CarrierException fault)
            {
                faults.Add(fault.Message);
                wait ??= fault.RetryAfter;
            }
        }

        return new EnrolmentOutcome.Unreachable(string.Join("; ", faults), wait);
    }

    /// <summary>Tries until headquarters has answered, with the waits of a backoff that is spread over its whole length.</summary>
    /// <param name="told">Called after each round that reached nobody, with how long the wait is.</param>
    public async Task<EnrolmentOutcome> EnrolUntilAnswered(PendingEnrolment pending, Action<EnrolmentOutcome.Unreachable, TimeSpan> told, CancellationToken cancellation)
    {
        var backoff = new Backoff(options.FirstRetry);
        for (var failures = 1; ; failures++)
        {
            var outcome = await Enrol(pending, cancellation).ConfigureAwait(false);
            if (outcome is not EnrolmentOutcome.Unreachable unreachable)
                return outcome;
            var wait = unreachable.RetryAfter ?? backoff.AfterFailures(failures, LongestWait, TimeSpan.Zero, Random.Shared);
            told(unreachable, wait);
            await Task.Delay(wait, clock, cancellation).ConfigureAwait(false);
        }
    }

    // A person waits for a new device to appear; the token of a rollout lives hours.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private async Task<(EnrolReply Reply, string Through)> Ask(string address, PendingEnrolment pending, EnrolRequest request, CancellationToken cancellation)
    {
        if (HostPort.Problem(address) is { } problem)
            throw new CarrierException(problem);
        var through = address;
        using var key = pending.Key.Open();
        using var connection = new GrpcConnection(address, dial, KeyRequest.SelfSigned(key, clock), (leaf, presented) =>
        {
            if (PeerTrust.FindPinned(pending.Token.CaPin, [.. presented, leaf]) is not { } authority)
                return "the server there does not belong to the headquarters that made this join token (its CA does not match the token's pin); nothing was sent to it";
            var peer = new PeerTrust(authority, clock, PeerTrust.FieldTolerance).Check(leaf, out var untrusted);
            if (peer is null)
                return untrusted;
            if (peer.Kind == PeerKind.Device)
                return $"{peer} answers there, which is no gateway";
            through = peer.Id;
            return null;
        }, options);
        var reply = await connection.Call((client, call) => client.EnrolAsync(request, call), options.AnswerTimeout, clock, cancellation).ConfigureAwait(false);
        return (reply, through);
    }

    private static string? Problem(PendingEnrolment pending, EnrolRequest request, Enrolled reply)
    {
        if (!EnrolmentProof.Matches(EnrolmentProof.ForReply(pending.Token.Secret, request, reply), reply.Proof.Span))
            return "the answer was altered on its way or is not from headquarters; it was not accepted";
        using var leaf = X509CertificateLoader.LoadCertificate(reply.CertificateChain[0].Span);
        return pending.Key.Fits(leaf) ? null : "headquarters' answer has a certificate for another key";
    }
}
