using System.Globalization;
using Akka.Configuration;
using Fleet.Messages.Serialization;

namespace Fleet.Messages.Transport;

/// <summary>The <c>akka { }</c> settings of every system that speaks over <see cref="LinkTransport"/>.</summary>
public static class LinkHocon
{
    /// <summary>The port in headquarters' logical address, <c>akka.tls://edge@headquarters.fleet:13001</c>, wherever it really listens.</summary>
    public const int EdgePort = 13001;

    /// <summary>The port in an office node's logical address, <c>akka.tls://office@NODE.OFFICE.office:1</c>; nothing listens there.</summary>
    public const int OfficePort = 1;

    /// <summary>The port in a cluster system's logical address.</summary>
    public const int ClusterPort = 13002;

    /// <summary>The path of the one actor that a stranger may address.</summary>
    public const string DoorPath = "/user/door";

    /// <summary>
    /// Akka looks at every association twice in this time (default 0.3 s) whether it owes an acknowledgement of a system message, such as a watch; over a link there are none.
    /// With a thousand links that was most of the messages of a quiet headquarters.
    /// </summary>
    private const string LazyAcks = "akka.remote.system-message-ack-piggyback-timeout = 10s";

    /// <summary>Headquarters' edge system: office nodes reach the door and their own link, nothing else.</summary>
    public static Config Edge(LinkOptions options) => ConfigurationFactory.ParseString($$"""
        akka.actor.provider = remote
        akka.remote.untrusted-mode = on
        akka.remote.trusted-selection-paths = ["{{DoorPath}}"]
        {{LazyAcks}}
        """).WithFallback(Hardening.Hocon).WithFallback(Common(EdgePort, options));

    /// <summary>An office node's system.</summary>
    public static Config Office(LinkOptions options) => ConfigurationFactory.ParseString($$"""
        akka.actor.provider = remote
        akka.remote.untrusted-mode = on
        {{LazyAcks}}
        # Default 10 ms; an idle office node need not wake that often.
        akka.scheduler.tick-duration = 50ms
        """).WithFallback(Hardening.Hocon).WithFallback(Common(OfficePort, options));

    /// <summary>Headquarters' cluster system: its peers are headquarters nodes alone, and need Akka's own messages.</summary>
    public static Config Cluster(LinkOptions options) => Common(ClusterPort, options);

    private static Config Common(int announcedPort, LinkOptions options) => ConfigurationFactory.ParseString($$"""
        akka {
          log-dead-letters = 10
          log-dead-letters-during-shutdown = off
          remote {
            enabled-transports = ["akka.remote.fleet-link"]
            fleet-link {
              transport-class = "{{typeof(LinkTransport).FullName}}, {{typeof(LinkTransport).Assembly.GetName().Name}}"
              applied-adapters = []
              announced-port = {{announcedPort}}
              connect-timeout = {{Text(options.ConnectTimeout)}}
              maximum-frame = {{options.MaximumFrame}}
              maximum-unsent = {{options.MaximumUnsent}}
              maximum-handshakes = {{options.MaximumHandshakes}}
            }
            handshake-timeout = {{Text(options.ConnectTimeout)}}
            # Headquarters answers over the connection that the office opened.
            use-passive-connections = on
            retry-gate-closed-for = 1s
            # The link's own pings and lease find a dead link sooner; these are Akka's backstop, equal on both sides.
            transport-failure-detector.heartbeat-interval = 10s
            transport-failure-detector.acceptable-heartbeat-pause = 25s
            log-remote-lifecycle-events = off
          }
          # A process ends when its program says so, never because a transport or actor system did.
          coordinated-shutdown.exit-clr = off
          coordinated-shutdown.run-by-clr-shutdown-hook = off
        }
        """).WithFallback(FleetSerializer.Hocon);

    private static string Text(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalMilliseconds}ms");
}
