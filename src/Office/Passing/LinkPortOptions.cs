using System.Net;
using Akka.Configuration;
using Fleet.Contracts;
using Fleet.Messages.Settings;

namespace Fleet.Office.Passing;

/// <summary>Block <c>fleet.office.links</c>: how this node's link goes, and those of others through it.</summary>
/// <param name="Through"><c>host:port</c> of link ports of the office's other nodes, tried besides those that headquarters names.</param>
/// <param name="Dmz">Headquarters dials this node: its link port is always open.</param>
/// <param name="Bind">Address of the link port.</param>
/// <param name="Port">The link port; 0 lets the system choose.</param>
/// <param name="Addresses"><c>host:port</c> at which the office's other nodes reach the link port; empty: the machine's own.</param>
/// <param name="MaxCarried">Links of others that pass through at a time.</param>
public sealed record LinkPortOptions(IReadOnlyList<string> Through, bool Dmz, IPAddress Bind, int Port, IReadOnlyList<string> Addresses, int MaxCarried)
{
    public static LinkPortOptions From(Config fleet, Problems problems)
    {
        var through = problems.Texts(fleet, "office.links.through");
        foreach (var address in through)
            if (HostPort.Problem(address) is { } problem)
                problems.Add("fleet.office.links.through", problem);
        return new LinkPortOptions(
            through,
            Dmz: problems.Switch(fleet, "office.links.dmz"),
            Bind: problems.Address(fleet, "office.links.bind"),
            Port: problems.Port(fleet, "office.links.port"),
            Addresses: problems.Texts(fleet, "office.links.addresses"),
            MaxCarried: problems.Number(fleet, "office.links.max-carried", 1, 10_000));
    }
}
