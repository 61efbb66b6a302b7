using System.Net;
using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Device.Enrolment;
using Fleet.Device.Settings;
using Fleet.Messages.Transport;

namespace Fleet.Office.Identity;

/// <summary>
/// Enrols a machine that can't dial out: headquarters dials it (<c>fleet node dial</c>), and the enrolment goes over that stream, from here, as over one
/// that this side had opened. Whoever else dials is not the headquarters that the token pins, and is told nothing.
/// </summary>
public sealed class DialledEnrolment(IByteNetwork network, byte[] machine, TimeProvider clock)
{
    /// <param name="at">Where headquarters dials.</param>
    /// <param name="told">Called for each stream that came to nothing, with the reason.</param>
    /// <exception cref="IOException">The port is in use or may not be used.</exception>
    /// <exception cref="StorageException">The disk is full or not writable.</exception>
    public async Task<EnrolmentOutcome> Enrol(IPEndPoint at, DataDirectory data, JoinToken token, string name, Action<string> told, CancellationToken cancellation)
    {
        await using var listener = network.Listen(at);
        while (true)
        {
            var (stream, from) = await listener.Accept(cancellation);
            await using var dialled = stream;
            var client = new EnrolmentClient((_, _) => Task.FromResult(dialled), DeviceOptions.Default, clock);
            var outcome = await new NodeEnrolment(client, machine).Enrol(data, token, name, new NodeReach([at.ToString()], [], [], Dmz: true), cancellation);
            if (outcome is not EnrolmentOutcome.Unreachable unreachable)
                return outcome;
            told($"dialled from {from}: {unreachable.Detail}");
        }
    }
}
