using System.Threading.Channels;
using Akka.Actor;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Identity;
using Fleet.Gateway.Push;
using Fleet.Messages.Admission;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Fleet.Gateway.Service;

/// <summary>
/// Maps the agents' gRPC calls to messages for the <see cref="GatewayActor"/>. Judges who may call what; decides nothing else.
/// </summary>
/// <param name="face">Which of the calls this port takes.</param>
public sealed class AgentGatewayService(IActorRef gateway, AgentFace face, GatewayOptions options, TimeProvider clock) : AgentGateway.AgentGatewayBase
{
    /// <summary>Above what any honest call needs: an envelope and its versions.</summary>
    public const int MaxMessageBytes = Contracts.Envelopes.Envelope.MaxBytes + 4096;

    /// <summary>The actor keeps its own deadlines; this one only catches that it is gone or swamped.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>Calls of one device that may come at once, in seconds' worth of its rate.</summary>
    private const int BurstSeconds = 10;

    /// <summary>Lines that one device may open: one in two seconds in the long run.</summary>
    private const double LinesPerDevice = 0.5;

    private const int LineBurst = 5;

    private const int MaxName = 253;
    private const int MaxRequest = 4096;
    private const int HashBytes = 32;

    private readonly IdentityRates<DeviceId> _rates = face == AgentFace.Push
        ? new IdentityRates<DeviceId>(LinesPerDevice, LineBurst)
        : new IdentityRates<DeviceId>(options.CallsPerDevice, options.CallsPerDevice * BurstSeconds);

    public override async Task<SyncReply> Sync(SyncRequest request, ServerCallContext context)
    {
        Takes(AgentFace.Gateway);
        var device = DeviceOf(request.DeviceId, context);
        if (WaitOf(device) is { } wait)
            return new SyncReply
            {
                Outcome = SyncReply.Types.Outcome.Refused,
                Refusal = new Refusal { Code = (int)RefusalCode.Busy, Detail = "this device syncs too often", RetryAfter = Duration.FromTimeSpan(wait) },
            };
        return await Ask<SyncReply>(new SyncDevice(device, request), options.AnswerTimeout, context);
    }

    public override async Task Listen(ListenRequest request, IServerStreamWriter<PushItem> responseStream, ServerCallContext context)
    {
        Takes(AgentFace.Push);
        var device = DeviceOf(request.DeviceId, context);
        if (IdText.Problem(request.OfficeId) is { } problem)
            throw Status(StatusCode.InvalidArgument, $"office_id: {problem}");
        if (WaitOf(device) is { } wait)
            throw Busy("this device opens lines too often", wait);
        var items = Channel.CreateBounded<PushItem>(PushActor.LineCapacity);
        gateway.Tell(new OpenLine(device, new OfficeId(request.OfficeId), items.Writer));
        try
        {
            await foreach (var item in items.Reader.ReadAllAsync(context.CancellationToken))
                await responseStream.WriteAsync(item, context.CancellationToken);
            // A newer line of the device took over, or the push server stops.
            throw Status(StatusCode.Aborted, "this line ended: the device listens anew, or the push server stops");
        }
        catch (LineRefusedException refused)
        {
            throw Busy(refused.Message, refused.RetryAfter);
        }
        catch (OperationCanceledException)
        {
            // Hung up, broken or silent: from here they look alike.
        }
        finally
        {
            gateway.Tell(new CloseLine(device, items.Writer));
        }
    }

    public override async Task<EnrolReply> Enrol(EnrolRequest request, ServerCallContext context)
    {
        Takes(AgentFace.Gateway);
        PeerOf(context);
        var problem = IdText.Problem(request.TokenId) is { } token ? $"token_id: {token}"
            : IdText.Problem(request.OfficeId) is { } office ? $"office_id: {office}"
            : request.Kind is not (JoinKind.Node or JoinKind.Agent) ? "kind must be node or agent"
            : request.Name.Length is 0 or > MaxName ? $"name must have 1 to {MaxName} characters"
            : request.CertificateRequest.Length is 0 or > MaxRequest ? $"certificate_request must have 1 to {MaxRequest} bytes"
            : request.Machine.Length > HashBytes ? $"machine must have at most {HashBytes} bytes"
            : request.Proof.Length != HashBytes ? $"proof must have {HashBytes} bytes"
            : null;
        return problem is null
            ? await Ask<EnrolReply>(new EnrolNewcomer(request), options.EnrolTimeout, context)
            : throw Status(StatusCode.InvalidArgument, problem);
    }

    private void Takes(AgentFace wanted)
    {
        if (face != wanted)
            throw Status(StatusCode.Unimplemented, face == AgentFace.Push ? "this is a push server's port: agents only listen here" : "this is a gateway's port: agents listen at a push server's");
    }

    private DeviceId DeviceOf(string claimed, ServerCallContext context)
    {
        var identity = PeerOf(context).Identity
            ?? throw Status(StatusCode.Unauthenticated, "a self-signed certificate may only enrol: run 'agent enroll' first");
        if (IdText.Problem(claimed) is { } problem)
            throw Status(StatusCode.InvalidArgument, $"device_id: {problem}");
        var device = new DeviceId(claimed);
        return identity == PeerIdentity.Of(device)
            ? device
            : throw Status(StatusCode.PermissionDenied, $"the certificate is of {identity}, the request of device {device}");
    }

    private ConnectedPeer PeerOf(ServerCallContext context)
    {
        var peer = ConnectedPeer.Of(context.GetHttpContext()) ?? throw Status(StatusCode.Unauthenticated, "a client certificate is needed");
        return clock.GetUtcNow() <= peer.ValidUntil
            ? peer
            : throw Status(StatusCode.Unauthenticated, $"the certificate ran out on {peer.ValidUntil:u}: connect with the renewed one, or enrol anew");
    }

    private async Task<T> Ask<T>(object message, TimeSpan deadline, ServerCallContext context)
    {
        try
        {
            return await gateway.Ask<T>(message, deadline + Grace, context.CancellationToken);
        }
        catch (AskTimeoutException)
        {
            throw Status(StatusCode.Unavailable, "the gateway is busy or stopping: try the next one, or again later");
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            throw Status(StatusCode.Cancelled, "the caller went away");
        }
    }

    private TimeSpan? WaitOf(DeviceId device) => _rates.Wait(device, clock.GetUtcNow(), Random.Shared.NextDouble());

    private static RpcException Busy(string detail, TimeSpan wait) =>
        new(new Grpc.Core.Status(StatusCode.ResourceExhausted, detail), new Metadata { { RetryAfter.Trailer, RetryAfter.Text(wait) } });

    private static RpcException Status(StatusCode code, string detail) => new(new Grpc.Core.Status(code, detail));
}
