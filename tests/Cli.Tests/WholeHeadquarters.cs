using Fleet.Headquarters;
using Fleet.Messages.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fleet.Cli.Tests;

internal static class WholeHeadquarters
{
    /// <summary>At ports of its own.</summary>
    public static HeadquartersOptions Options => HeadquartersOptions.Load(null, ["web.bind=127.0.0.1", "web.port=0", "cluster.port=0", "gateway.bind=127.0.0.1", "gateway.port=0", "push.bind=127.0.0.1", "push.port=0", "links.bind=127.0.0.1", "links.port=0", "updates.bind=127.0.0.1", "updates.port=0", "updates.quota=3MB", "metrics.port=0"]);

    /// <summary>Starts a headquarters in the terminal's home; the terminal's commands reach it.</summary>
    /// <param name="data">Where its data lies and who asks is still known; null: it is a new one.</param>
    public static async Task<HeadquartersNode> Start(TestTerminal terminal, string? data = null)
    {
        var node = await HeadquartersNode.Start(data ?? Path.Combine(terminal.Home, "hq"), Options, new TcpNetwork(), TimeProvider.System, NullLoggerFactory.Instance);
        terminal.With("FLEET_URL", $"https://127.0.0.1:{node.Web.Port}");
        if (data is null)
            terminal.With("FLEET_TOKEN", "@" + node.AdminTokenFile);
        return node;
    }
}
