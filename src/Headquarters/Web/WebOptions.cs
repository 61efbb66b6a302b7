using System.Net;
using Akka.Configuration;
using Fleet.Messages.Settings;

namespace Fleet.Headquarters.Web;

/// <summary>Block <c>fleet.web</c>: console and REST API.</summary>
/// <param name="Host">Host name in addresses for people.</param>
/// <param name="AskTimeout">How long a request waits for the owner of what it changes.</param>
/// <param name="SettleTimeout">How long an answer waits for the read model to show what was just changed.</param>
/// <param name="Session">How long a browser stays logged in without being used.</param>
public sealed record WebOptions(IPAddress Bind, int Port, string Host, TimeSpan AskTimeout, TimeSpan SettleTimeout, TimeSpan Session)
{
    public static WebOptions From(Config fleet, Problems problems) => new(
        Bind: problems.Address(fleet, "web.bind"),
        Port: problems.Port(fleet, "web.port"),
        Host: fleet.GetString("web.host") is { Length: > 0 } host ? host : Environment.MachineName,
        AskTimeout: problems.Positive(fleet, "web.ask-timeout"),
        SettleTimeout: problems.Positive(fleet, "web.settle-timeout"),
        Session: problems.Positive(fleet, "web.session"));
}
