using System.Net;
using System.Net.Sockets;
using System.Text;
using Fleet.Messages.Link;
using Fleet.Office.Discovery;
using Fleet.Office.Discovery.Directories;
using Fleet.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Office.Tests.Discovery.Directories;

/// <summary>Against a real slapd; skipped where there is none.</summary>
public sealed class LdapPollTests
{
    private static readonly Guid Till = new("6f9619ff-8b86-d011-b42d-00cf4fc964ff");
    private readonly List<Sighting> _seen = [];

    [SkippableTheory]
    [InlineData(DirectorySecurity.Tls)]
    [InlineData(DirectorySecurity.StartTls)]
    public async Task Computers_are_read_over_a_connection_whose_certificate_was_checked(DirectorySecurity security)
    {
        using var directory = await PrivateSlapd.Start(Entries(Computer("till-3", Till, "till-3.office.test", "Windows 11 Pro", "10.0 (26100)"), Computer("old", Guid.Empty)));

        await Run(Of(directory, security));

        Assert.Equal(2, _seen.Count);
        var till = _seen.Single(s => s.Identity == $"ldap:{Till}");
        Assert.Equal(("till-3.office.test", "Windows 11 Pro 10.0 (26100)"), (till.Names.Single().Name, till.OperatingSystem));
        Assert.Equal(NameSource.Directory, till.Names.Single().Source);
    }

    [SkippableFact]
    public async Task More_computers_than_the_server_gives_at_a_time_are_read_page_by_page()
    {
        using var directory = await PrivateSlapd.Start(Entries([.. Enumerable.Range(1, 1234).Select(i => Computer($"till-{i}", new Guid(i, 0, 0, new byte[8])))]));

        var run = await Run(Of(directory, DirectorySecurity.Tls));

        Assert.Equal((1234, 1234), (run.Found, run.Progress.Done));
    }

    [SkippableFact]
    public async Task The_base_is_the_servers_own_where_none_is_named_and_a_filter_narrows()
    {
        using var directory = await PrivateSlapd.Start(Entries(Computer("till-3", Till), Computer("desk-9", Guid.NewGuid())));
        var server = Of(directory, DirectorySecurity.Tls);

        await Run(server with { Source = server.Source with { BaseName = "", Filter = "(cn=desk-*)" } });

        Assert.Equal("desk-9", Assert.Single(_seen).Names.Single().Name);
    }

    [SkippableFact]
    public async Task A_certificate_of_another_CA_is_refused_and_named_before_a_password_is_sent()
    {
        using var directory = await PrivateSlapd.Start(Entries(Computer("till-3", Till)));
        using var other = await PrivateSlapd.Start(Entries());
        var server = Of(directory, DirectorySecurity.Tls);

        var named = await Fails(server with { Source = server.Source with { Authority = other.Authority } });
        var system = await Fails(server with { Source = server.Source with { Authority = default } });
        var startTls = await Fails(Of(directory, DirectorySecurity.StartTls) is var s ? s with { Source = s.Source with { Authority = other.Authority } } : null!);

        Assert.Contains("issued by CN=office CA, does not chain to the CA that the poll names", named, StringComparison.Ordinal);
        Assert.Contains("does not chain to a CA that this machine trusts", system, StringComparison.Ordinal);
        Assert.Contains("does not chain to the CA that the poll names", startTls, StringComparison.Ordinal);
        Assert.Empty(_seen);
    }

    [SkippableFact]
    public async Task A_certificate_for_another_name_or_past_its_time_is_refused_with_words()
    {
        using var directory = await PrivateSlapd.Start(Entries());
        using var old = await PrivateSlapd.Start(Entries(), certificateUntil: DateTimeOffset.UtcNow.AddDays(-1));
        var server = Of(directory, DirectorySecurity.Tls);

        Assert.Contains("its certificate is not for 127.0.0.1, but for localhost", await Fails(server with { Source = server.Source with { Host = "127.0.0.1" } }), StringComparison.Ordinal);
        Assert.Contains("its certificate ran out at", await Fails(Of(old, DirectorySecurity.Tls)), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_wrong_password_and_a_base_that_is_not_there_are_told()
    {
        using var directory = await PrivateSlapd.Start(Entries());
        var server = Of(directory, DirectorySecurity.Tls);

        Assert.Contains($"does not take the user '{PrivateSlapd.User}' with this password", await Fails(server with { Password = "wrong" }), StringComparison.Ordinal);
        Assert.Contains("refuses the search below 'dc=nowhere'", await Fails(server with { Source = server.Source with { BaseName = "dc=nowhere" } }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_is_never_sent_over_a_connection_without_TLS()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();

        var why = await Fails(new DirectoryServer(Source(((IPEndPoint)listener.LocalEndpoint).Port, DirectorySecurity.Plain, default), "secret"));

        Assert.Contains("a password is not sent over a connection without TLS", why, StringComparison.Ordinal);
        Assert.False(listener.Pending());
    }

    [Fact]
    public async Task A_directory_that_is_down_is_told_and_the_others_are_asked()
    {
        var why = await Fails(new DirectoryServer(Source(1, DirectorySecurity.Tls, default), null));

        Assert.Contains("localhost:1 is out of reach: Connection refused", why, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task With_one_of_two_directories_down_the_poll_goes_well_and_says_what_it_could_not_see()
    {
        using var directory = await PrivateSlapd.Start(Entries(Computer("till-3", Till)));

        var run = await Run(new DirectoryServer(Source(1, DirectorySecurity.Tls, default), null), Of(directory, DirectorySecurity.Tls));

        Assert.Equal(1, run.Found);
        Assert.Contains("localhost:1 is out of reach", Assert.Single(run.Blind), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_directory_is_told()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var serving = Serve(listener, "HTTP/1.1 400 Bad Request\r\n\r\n");

        var startTls = await Fails(new DirectoryServer(Source(port, DirectorySecurity.StartTls, default), null));
        var tls = await Fails(new DirectoryServer(Source(port, DirectorySecurity.Tls, default), null));

        Assert.Contains("does not offer StartTLS (no LDAP answer)", startTls, StringComparison.Ordinal);
        Assert.Contains($"localhost:{port}", tls, StringComparison.Ordinal);
        listener.Stop();
        await serving;
    }

    [Fact]
    public async Task A_directory_that_says_nothing_is_left_when_the_poll_is_cancelled()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var stop = new CancellationTokenSource();
        var polling = new LdapPoll(LookUp).Run(Made(new DirectoryServer(Source(((IPEndPoint)listener.LocalEndpoint).Port, DirectorySecurity.Plain, default), null)), stop.Token);
        using var caller = await listener.AcceptTcpClientAsync();
        await caller.GetStream().ReadExactlyAsync(new byte[1]);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => polling.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task A_directory_that_takes_the_connection_and_stays_silent_is_left_after_a_while()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var (server, clock) = (new DirectoryServer(Source(((IPEndPoint)listener.LocalEndpoint).Port, DirectorySecurity.Plain, default), null), new FakeTimeProvider());
        var polling = new LdapPoll(LookUp).Run(Made([server], clock, full: false), CancellationToken.None);
        using var caller = await listener.AcceptTcpClientAsync();
        await caller.GetStream().ReadExactlyAsync(new byte[1]);

        await Until.True(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(15));
            return polling.IsCompleted;
        }, "the poll leaves the directory");

        Assert.Contains($"{server} took the connection and does not answer within 15 s", (await Assert.ThrowsAsync<PollFailedException>(() => polling)).Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_full_poll_looks_up_the_addresses_of_names_side_by_side()
    {
        using var directory = await PrivateSlapd.Start(Entries([.. Enumerable.Range(1, 3).Select(i => Computer($"till-{i}", new Guid(i, 0, 0, new byte[8]), $"till-{i}.office.test"))]));
        var (asked, all) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        async Task<IPAddress[]> WhenAllAreAsked(string name, CancellationToken stop)
        {
            if (Interlocked.Increment(ref asked) == 3)
                all.SetResult();
            await all.Task.WaitAsync(stop);
            return [IPAddress.Parse($"10.0.0.{name["till-".Length]}")];
        }

        var run = Made([Of(directory, DirectorySecurity.Tls)], TimeProvider.System, full: true);
        await new LdapPoll(WhenAllAreAsked).Run(run, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));

        Assert.Equal(["10.0.0.1", "10.0.0.2", "10.0.0.3"], _seen.Select(s => s.Addresses.Single()).Order(StringComparer.Ordinal));
    }

    private static Task<IPAddress[]> LookUp(string name, CancellationToken stop) => throw new InvalidOperationException("only a full poll looks up names");

    private static async Task Serve(TcpListener listener, string answer)
    {
        try
        {
            while (true)
            {
                using var caller = await listener.AcceptTcpClientAsync();
                await caller.GetStream().WriteAsync(Encoding.ASCII.GetBytes(answer));
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task<PollRun> Run(params DirectoryServer[] servers)
    {
        var run = Made(servers);
        await new LdapPoll(LookUp).Run(run, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));
        return run;
    }

    private async Task<string> Fails(DirectoryServer server) => (await Assert.ThrowsAsync<PollFailedException>(() => Run(server))).Message;

    private PollRun Made(params DirectoryServer[] servers) => Made(servers, TimeProvider.System, full: false);

    private PollRun Made(IReadOnlyList<DirectoryServer> servers, TimeProvider clock, bool full) =>
        new(new PollOrder(PollMethod.Ldap, full, [], servers), new Pace(1000, 0, clock), clock, sighting =>
        {
            lock (_seen)
                _seen.Add(sighting);
        });

    private static DirectoryServer Of(PrivateSlapd directory, DirectorySecurity security) =>
        new(Source(security == DirectorySecurity.Tls ? directory.TlsPort : directory.Port, security, directory.Authority), PrivateSlapd.Password);

    private static DirectorySource Source(int port, DirectorySecurity security, ReadOnlyMemory<byte> authority) =>
        new("localhost", port, security, PrivateSlapd.Base, "", PrivateSlapd.User, default, authority);

    private static string Entries(params string[] computers) => $"""
        dn: {PrivateSlapd.Base}
        objectClass: dcObject
        objectClass: organization
        dc: office
        o: office

        {string.Join("\n\n", computers)}

        """;

    private static string Computer(string name, Guid guid, string? dns = null, string? system = null, string? version = null) => string.Join('\n', new[]
    {
        $"dn: cn={name},{PrivateSlapd.Base}", "objectClass: computer", $"cn: {name}", "objectCategory: computer", $"objectGUID:: {Convert.ToBase64String(guid.ToByteArray())}",
        dns is null ? null : $"dNSHostName: {dns}", system is null ? null : $"operatingSystem: {system}", version is null ? null : $"operatingSystemVersion: {version}",
    }.OfType<string>());
}
