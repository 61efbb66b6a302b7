using Fleet.Contracts.Envelopes;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Offices;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Discovery;

/// <summary>The plan as the poller gets it: with the last times, and with passwords that it alone can read.</summary>
internal static class PollPlans
{
    /// <summary>The purpose under which headquarters seals passwords of directories for itself.</summary>
    public const string KeptPassword = "kept directory password";

    /// <summary>Null: the node is not the poller.</summary>
    public static PollPlan? For(Office office, NodeSnapshot node, DiscoveryOptions options, ICertificateIssuer issuer)
    {
        if (office.Polling.Poller != node.NodeId)
            return null;
        var plan = office.Polling.Plan ?? options.DefaultPlan;
        return plan with
        {
            Schedules = [.. plan.Schedules.Select(s => s with
            {
                Directories = [.. s.Directories.Select(d => d with { Password = Resealed(d.Password, node, issuer) })],
                LastQuick = Last(office, s.Method, full: false),
                LastFull = Last(office, s.Method, full: true),
            })],
        };
    }

    private static DateTimeOffset? Last(Office office, PollMethod method, bool full) => office.Polling.Last.TryGetValue((method, full), out var at) ? at : null;

    private static ReadOnlyMemory<byte> Resealed(ReadOnlyMemory<byte> kept, NodeSnapshot node, ICertificateIssuer issuer) => kept.IsEmpty
        ? kept
        : NodeSecret.Seal(node.Certificates[^1].PublicKey.Span, Polls.DirectoryPassword, issuer.OpenSecret(KeptPassword, kept.Span));
}
