using Fleet.Contracts;
using Fleet.Messages.Link;
using Fleet.Office.Installs;
using Fleet.TestSupport;

namespace Fleet.Office.Tests.Installs;

/// <summary>Setting up agents against a real OpenSSH server.</summary>
public sealed class AgentInstallerTests : IDisposable
{
    private const string Token = "fleet1.leeds.t-1.the-secret-of-the-token.pin";
    private const string Password = "pa55word-of-the-device";
    private static readonly string User = Environment.UserName;

    private readonly TempDirectory _directory = new();
    private readonly List<InstallStep> _steps = [];
    private string _hostKey = "";

    private string Device => _directory.Of("device");

    public void Dispose() => _directory.Dispose();

    [SkippableFact]
    public async Task The_agent_is_copied_joins_with_the_token_and_is_started()
    {
        await using var server = await Server();

        await Install(server);

        Assert.Equal([InstallStep.Connecting, InstallStep.LookingAround, InstallStep.Copying, InstallStep.Enrolling, InstallStep.Starting], _steps);
        Assert.StartsWith("ssh-ed25519 SHA256:", _hostKey, StringComparison.Ordinal);
        Assert.Equal(Token, await File.ReadAllTextAsync(Path.Combine(Device, "token-seen")));
        Assert.Matches($"^enroll --data {Device}/data --token @{server.Directory}/tmp[.]\\w+ --gateway 192.168.1.10:13000 --server hq.example:13000$", (await File.ReadAllTextAsync(Path.Combine(Device, "enrolled-with"))).Trim());
        Assert.False(Directory.Exists(Path.Combine(Device, "data")), "what the agent wants to make is there already");
        Assert.Empty(Directory.GetFiles(server.Directory, "tmp.*"));
        await Until.True(() => File.Exists(Path.Combine(Device, "started")), "the agent runs");
    }

    [SkippableFact]
    public async Task A_device_that_shows_another_host_key_than_before_is_not_logged_in_to()
    {
        await using var server = await Server();
        await Install(server);
        var before = _hostKey;

        var failed = await Fails(server, hostKey: before[..^1] + (before[^1] == 'A' ? 'B' : 'A'));

        Assert.Equal(InstallOutcome.HostKeyChanged, failed.Outcome);
        Assert.Contains(before, failed.Message, StringComparison.Ordinal);
        await Install(server, hostKey: before);
    }

    [SkippableFact]
    public async Task A_wrong_password_is_refused_and_no_message_shows_it()
    {
        await using var server = await Server();

        var failed = await Fails(server, new InstallSecret(User, Password, "", "", Token));

        Assert.Equal(InstallOutcome.AuthenticationRefused, failed.Outcome);
        Assert.DoesNotContain(Password, failed.ToString(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_key_that_is_none_is_told_without_a_part_of_it()
    {
        await using var server = await Server();

        var failed = await Fails(server, new InstallSecret(User, "", "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----", "", Token));

        Assert.Equal(InstallOutcome.AuthenticationRefused, failed.Outcome);
        Assert.DoesNotContain("c2VjcmV0", failed.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_without_a_server_is_unreachable()
    {
        var order = Order(FreePorts.One(), "");

        var failed = await Assert.ThrowsAsync<InstallException>(() => Installer().Install(order, new InstallSecret(User, Password, "", "", Token), _steps.Add, _ => { }, CancellationToken.None));

        Assert.Equal(InstallOutcome.Unreachable, failed.Outcome);
    }

    [SkippableFact]
    public async Task A_user_without_sudo_is_told()
    {
        await using var server = await Server();
        server.Answer("id", "echo 1000");
        server.Answer("sudo", "echo 'sudo: a password is required' >&2; exit 1");

        var failed = await Fails(server);

        Assert.Equal(InstallOutcome.NoSudo, failed.Outcome);
        Assert.Contains("a password is required", failed.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_user_with_sudo_gives_his_password_on_standard_input_alone()
    {
        await using var server = await Server();
        server.Answer("id", "echo 1000");
        // As sudo -S does: it reads one line, and the command the rest.
        server.Answer("sudo", $"""
            echo "$@" >> {server.Directory}/sudo-log
            [ "$1" = -n ] && exit 1
            IFS= read -r given; [ "$given" = '{Password}' ] || exit 1
            while [ "$1" != true ] && [ "$1" != sh ]; do shift; done
            exec "$@"
            """);

        await Install(server, new InstallSecret(User, Password, server.PrivateKey, "", Token));

        Assert.Equal(Token, await File.ReadAllTextAsync(Path.Combine(Device, "token-seen")));
        var log = await File.ReadAllTextAsync(Path.Combine(server.Directory, "sudo-log"));
        Assert.DoesNotContain(Password, log, StringComparison.Ordinal);
        Assert.DoesNotContain("the-secret-of-the-token", log, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_device_of_another_architecture_is_told_and_left_as_it_was()
    {
        await using var server = await Server();
        server.Answer("uname", "[ \"$1\" = -m ] && echo mips || echo Linux");

        var failed = await Fails(server);

        Assert.Equal(InstallOutcome.WrongArchitecture, failed.Outcome);
        Assert.Contains("Linux on mips", failed.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Device));
    }

    [SkippableFact]
    public async Task A_device_without_room_is_told_whichever_place_is_full()
    {
        await using var server = await Server();
        foreach (var full in new[] { "=", "!=" })
        {
            server.Answer("df", $"[ \"$2\" {full} /tmp ] && free=0 || free=1000000; printf \"Filesystem 1024-blocks Used Available\\n/dev/x 1 1 $free /x\\n\"");

            Assert.Equal(InstallOutcome.DiskFull, (await Fails(server)).Outcome);
        }
    }

    [SkippableFact]
    public async Task An_agent_that_may_not_join_says_why_and_leaves_no_token_behind()
    {
        await using var server = await Server(agent: "echo 'enrolment refused: all uses are spent' >&2; exit 1");

        var failed = await Fails(server);

        Assert.Equal(InstallOutcome.EnrolmentFailed, failed.Outcome);
        Assert.Contains("all uses are spent", failed.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(server.Directory, "tmp.*"));
    }

    [Fact]
    public void Secrets_are_not_in_the_text_of_what_holds_them()
    {
        Assert.DoesNotContain(Password, new InstallSecret("admin", Password, "key", "phrase", Token).ToString(), StringComparison.Ordinal);
    }

    private async Task<SshServer> Server(string? agent = null)
    {
        Directory.CreateDirectory(_directory.Of("agents"));
        await File.WriteAllTextAsync(Path.Combine(_directory.Of("agents"), "agent-linux-x64"), "#!/bin/sh\n" + (agent ?? $"""
            case "$1" in
              enroll) echo "$@" > {Device}/enrolled-with; tr -d '\n' < "$(echo "$5" | cut -c2-)" > {Device}/token-seen ;;
              run) touch {Device}/started ;;
            esac
            """) + "\n");
        var server = await SshServer.Start(_directory.Of("ssh"));
        // Whoever runs the tests, and on whatever machine: nothing is done as another user, nor made a service of this machine.
        server.Answer("id", "echo 0");
        server.Answer("systemctl", "exit 1");
        server.Answer("mktemp", $"exec /usr/bin/mktemp {server.Directory}/tmp.XXXXXX");
        return server;
    }

    private AgentInstaller Installer() => new(new InstallOptions(_directory.Of("agents"), $"{Device}/bin/fleet-agent", $"{Device}/data", TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30)));

    private static InstallAgent Order(int port, string hostKey) => new(new InstallId("i-1"), "127.0.0.1", port, hostKey, default, ["192.168.1.10:13000"], ["hq.example:13000"]);

    private Task Install(SshServer server, InstallSecret? secret = null, string hostKey = "")
    {
        _steps.Clear();
        return Installer().Install(Order(server.Port, hostKey), secret ?? new InstallSecret(User, "", server.PrivateKey, "", Token), _steps.Add, key => _hostKey = key, CancellationToken.None);
    }

    private Task<InstallException> Fails(SshServer server, InstallSecret? secret = null, string hostKey = "") =>
        Assert.ThrowsAsync<InstallException>(() => Install(server, secret, hostKey));
}
