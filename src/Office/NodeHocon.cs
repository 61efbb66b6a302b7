using Akka.Configuration;

namespace Fleet.Office;

/// <summary>The <c>akka { }</c> settings of a node's actor systems that are not the link's own.</summary>
internal static class NodeHocon
{
    public static Config Common { get; } = ConfigurationFactory.ParseString("""
        akka {
          # The process decides when it ends.
          coordinated-shutdown.exit-clr = off
          coordinated-shutdown.run-by-clr-shutdown-hook = off
          # Default 10 ms; an idle office node need not wake that often.
          scheduler.tick-duration = 50ms
        }
        """);
}
