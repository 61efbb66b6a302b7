using Akka.Actor;
using Akka.Actor.Setup;
using Fleet.Contracts;
using Fleet.Gateway;
using Fleet.Messages.Link;
using Fleet.Messages.Log;
using Fleet.Messages.Serialization;
using Fleet.Office.Installs;
using Fleet.TestSupport;
using MessagePack;
using TestKit = Akka.TestKit.Xunit2.TestKit;

namespace Fleet.Office.Tests.Installs;

public sealed class InstallerActorTests
{
    [SkippableFact]
    public async Task What_fails_is_told_once_and_no_log_line_shows_a_secret()
    {
        using var directory = new TempDirectory();
        await using var server = await SshServer.Start(directory.Of("ssh"));
        var log = new CaughtLog();
        using var system = ActorSystem.Create("installs", ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(ActorLog.Hocon(Microsoft.Extensions.Logging.LogLevel.Debug)), new ActorLogSetup(log)));
        var relay = new TestKit(system).CreateTestProbe();
        var secret = new InstallSecret(Environment.UserName, "pa55word-of-the-device", "", "", "fleet1.leeds.t-1.secret-of-the-token.pin");
        var installer = new AgentInstaller(new InstallOptions(directory.Of("agents"), "/x/agent", "/x/data", TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10)));
        var actor = system.ActorOf(InstallerActor.Props(installer, (_, _) => MessagePackSerializer.Serialize(secret, Codec.Options), relay.Ref));

        actor.Tell(new InstallAgent(new InstallId("i-1"), "127.0.0.1", server.Port, "", new byte[] { 1 }, [], []));

        var sent = await relay.FishForMessageAsync<SendUp>(s => s.Items.Any(i => i is InstallEnded), TimeSpan.FromSeconds(30));
        var ended = sent.Items.OfType<InstallEnded>().Single();
        Assert.Equal(InstallOutcome.AuthenticationRefused, ended.Outcome);
        Assert.StartsWith("ssh-ed25519 SHA256:", ended.HostKey, StringComparison.Ordinal);
        await Until.True(() => log.All.Any(e => e.Text.Contains("AuthenticationRefused", StringComparison.Ordinal)), "the end is logged");
        Assert.DoesNotContain(log.All.Select(e => $"{e.Text} {e.Cause}").Append(ended.ToString()), l => l.Contains("pa55word", StringComparison.Ordinal) || l.Contains("secret-of-the-token", StringComparison.Ordinal));
    }
}
