using Akka.TestKit;
using Fleet.Contracts;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using JoinKind = Fleet.Messages.Offices.JoinKind;
using Kind = Fleet.Contracts.Agents.JoinKind;

namespace Fleet.Headquarters.Tests.Offices;

/// <summary>A node's link as its twin sees it: a session (the probe) under an epoch.</summary>
internal sealed class LinkedNode(TestCompany company, TestProbe session, NodeId id, Machine machine, string serial)
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(20);
    private ulong _frame;

    public NodeId Id => id;

    public Machine Machine => machine;

    public TestProbe Session => session;

    public string Epoch { get; private set; } = "";

    /// <summary>Enrols a node and links it.</summary>
    public static async Task<LinkedNode> Join(TestCompany company, TestProbe session, OfficeId office, string name)
    {
        var machine = new Machine(name);
        var enrolled = (await company.Enrol(machine.Join(await company.Token(office, JoinKind.Node), Kind.Node))).Enrolled;
        machine.Joined(enrolled);
        using var leaf = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(enrolled.CertificateChain[0].Span);
        var node = new LinkedNode(company, session, new NodeId(enrolled.Id), machine, leaf.SerialNumber);
        await node.Link("epoch-1");
        return node;
    }

    public async Task Link(string epoch)
    {
        Epoch = epoch;
        Ask(session, epoch, incarnation: null);
        await session.FishForMessageAsync<NodeWelcomed>(w => w.Epoch == epoch, Wait);
    }

    /// <summary>Asks at a session for a link, as one of the node's processes.</summary>
    public void Ask(TestProbe at, string epoch, string? incarnation) => company.Cluster.Offices.Tell(new LinkNode(id.Office, id, epoch, serial, DateTimeOffset.UtcNow, incarnation), at.Ref);

    /// <summary>The same, and it is linked.</summary>
    public async Task ComeIn(TestProbe at, string epoch, string incarnation)
    {
        Ask(at, epoch, incarnation);
        await at.FishForMessageAsync<NodeWelcomed>(w => w.Epoch == epoch, Wait);
    }

    /// <summary>Announces and collects what comes down until the node's own desired state has.</summary>
    public async Task<IReadOnlyList<IDownItem>> Announce(params HeldDesired[] held)
    {
        company.Cluster.Offices.Tell(new TakeAnnounce(id.Office, id, new Announce(Epoch, Report(0), held, Last: true)), session.Ref);
        return (await session.FishForMessageAsync<SendDown>(s => s.Items.Any(i => i is NodeDesired), Wait)).Items;
    }

    /// <summary>Announces and collects all that comes down until the node's own desired state has.</summary>
    public async Task<IReadOnlyList<IDownItem>> Announce(NodeReport report, params HeldDesired[] held)
    {
        company.Cluster.Offices.Tell(new TakeAnnounce(id.Office, id, new Announce(Epoch, report, held, Last: true)), session.Ref);
        var down = new List<IDownItem>();
        while (!down.Any(i => i is NodeDesired))
            down.AddRange((await session.FishForMessageAsync<SendDown>(s => s.Epoch == Epoch, Wait)).Items);
        return down;
    }

    /// <summary>Sends a frame and returns what came down until it was stored.</summary>
    public async Task<IReadOnlyList<IDownItem>> Send(params IUpItem[] items)
    {
        var number = Start(items);
        var down = new List<IDownItem>();
        while (true)
            switch (await session.ReceiveOneAsync(Wait))
            {
                case SendDown sent:
                    down.AddRange(sent.Items);
                    break;
                case FrameTaken taken when taken.Number == number:
                    return down;
                case null:
                    throw new TimeoutException($"frame {number} was not stored");
            }
    }

    /// <summary>Sends a frame without waiting for it.</summary>
    /// <returns>Its number.</returns>
    public ulong Start(params IUpItem[] items)
    {
        var number = ++_frame;
        company.Cluster.Offices.Tell(new TakeFrame(id.Office, id, new UpFrame(Epoch, number, items)), session.Ref);
        return number;
    }

    /// <summary>Waits until all these frames are stored.</summary>
    public async Task Stored(params ulong[] frames)
    {
        var left = frames.ToHashSet();
        while (left.Count > 0)
            left.Remove((await session.FishForMessageAsync<FrameTaken>(_ => true, Wait)).Number);
    }

    /// <summary>Waits for an item that is pushed down.</summary>
    public async Task<T> Down<T>(Func<T, bool>? which = null)
        where T : IDownItem
    {
        var sent = await session.FishForMessageAsync<SendDown>(s => s.Items.OfType<T>().Any(which ?? (_ => true)), Wait);
        return sent.Items.OfType<T>().First(which ?? (_ => true));
    }

    public static NodeReport Report(ulong applied, params string[] gatewayAddresses) => new(applied, gatewayAddresses.Length > 0 ? [NodeRole.Gateway] : [], gatewayAddresses, "0.1.0", "gw1", DateTimeOffset.UnixEpoch, [], [], [], "directly", [], null);
}
