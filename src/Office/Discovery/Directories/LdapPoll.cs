using System.DirectoryServices.Protocols;
using System.Globalization;
using System.Net;
using Fleet.Messages.Link;

namespace Fleet.Office.Discovery.Directories;

/// <summary>
/// Asks domain controllers, or other LDAP servers, which computers they know, page by page. A full poll also looks up the addresses of their names. A
/// directory that can't be asked is told with the reason, and the others are asked.
/// </summary>
/// <param name="lookUp">Finds the addresses of a name; throws <see cref="System.Net.Sockets.SocketException"/> where there are none.</param>
public sealed class LdapPoll(Func<string, CancellationToken, Task<IPAddress[]>> lookUp) : IPollMethod
{
    /// <summary>As Active Directory and Samba keep machines.</summary>
    private const string Computers = "(objectCategory=computer)";

    /// <summary>RFC 4511, appendix A.</summary>
    private const int InvalidCredentials = 49;

    private const int PageSize = 500;

    /// <summary>Entries of one directory; what is beyond is told as not seen.</summary>
    private const int MaxEntries = 50_000;

    /// <summary>Pages of one directory: a server may hold back, and sends fewer entries a page, or none.</summary>
    private const int MaxPages = 5000;

    /// <summary>For each question to a directory.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private static readonly string[] Attributes =
        ["cn", "dNSHostName", "objectGUID", "entryUUID", "operatingSystem", "operatingSystemVersion", "ipHostNumber", "macAddress"];

    public async Task Run(PollRun run, CancellationToken stop)
    {
        var (failed, lookUps) = (new List<string>(), new AddressLookUps(lookUp, run));
        var read = 0;
        run.ProgressIs(() => (Volatile.Read(ref read), 0));
        foreach (var server in run.Order.Directories)
            try
            {
                await Parallel.ForEachAsync(Ask(server, run, stop), new ParallelOptions { MaxDegreeOfParallelism = AddressLookUps.MaxUnderWay, CancellationToken = stop }, async (computer, _) =>
                {
                    Interlocked.Increment(ref read);
                    // Also those that were read before their directory failed.
                    await See(computer, lookUps, run, stop);
                });
            }
            catch (PollFailedException fault)
            {
                failed.Add(fault.Message);
                run.CannotSee($"what the directory {server} knows: {fault.Message}");
            }

        if (run.Order.Directories.Count == 0)
            throw new PollFailedException("no directory is named to ask");
        if (failed.Count == run.Order.Directories.Count)
            throw new PollFailedException(string.Join("; ", failed));
    }

    private static async IAsyncEnumerable<SearchResultEntry> Ask(DirectoryServer server, PollRun run, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        var source = server.Source;
        if (server.Password is not null && source.Security == DirectorySecurity.Plain)
            throw new PollFailedException($"{server}: a password is not sent over a connection without TLS; use LDAPS or StartTLS");
        await using var tunnel = new DirectoryTunnel(await Connected(source, run, stop));
        await using var hangUp = stop.UnsafeRegister(_ => _ = tunnel.DisposeAsync().AsTask(), null);
        using var directory = new LdapConnection(new LdapDirectoryIdentifier(tunnel.Local.Address.ToString(), tunnel.Local.Port)) { AuthType = AuthType.Anonymous };
        directory.SessionOptions.ProtocolVersion = 3;
        directory.SessionOptions.ReferralChasing = ReferralChasingOptions.None;
        if (server.Password is not null)
            (directory.AuthType, directory.Credential) = (AuthType.Basic, new NetworkCredential(source.User, server.Password));
        var line = new Line(server, directory, tunnel);
        await Told(line, () => directory.Bind(), run, stop);
        var below = source.BaseName.Length > 0 ? source.BaseName : await NamingContext(line, run, stop);
        var (page, pages, entries) = (new PageResultRequestControl(PageSize), 0, 0);
        do
        {
            if (++pages > MaxPages)
            {
                run.CannotSee($"more than the first {entries} entries of {server}: it gives few at a time; narrow the filter or the base");
                yield break;
            }

            var search = new SearchRequest(below, source.Filter.Length > 0 ? source.Filter : Computers, SearchScope.Subtree, Attributes);
            search.Controls.Add(page);
            var answer = await Answered(line, search, run, stop);
            foreach (SearchResultEntry entry in answer.Entries)
            {
                if (++entries > MaxEntries)
                {
                    run.CannotSee($"more than the first {MaxEntries} entries of {server}: narrow the filter or the base");
                    yield break;
                }

                yield return entry;
            }

            page.Cookie = answer.Controls.OfType<PageResultResponseControl>().FirstOrDefault()?.Cookie ?? [];
        }
        while (page.Cookie.Length > 0);
    }

    private static async Task<Stream> Connected(DirectorySource source, PollRun run, CancellationToken stop)
    {
        using var patience = new CancellationTokenSource(Patience, run.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stop);
        try
        {
            return await DirectoryTls.Connect(source, either.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new PollFailedException($"{source.Host}:{source.Port} does not answer within {Patience.TotalSeconds:0} s");
        }
    }

    private static async Task<string> NamingContext(Line line, PollRun run, CancellationToken stop)
    {
        var root = await Answered(line, new SearchRequest("", "(objectClass=*)", SearchScope.Base, "defaultNamingContext", "namingContexts"), run, stop);
        return root.Entries.Count > 0 && (TextOf(root.Entries[0], "defaultNamingContext") ?? TextOf(root.Entries[0], "namingContexts")) is { } context
            ? context : throw new PollFailedException($"{line.Server} names no naming context: name the base to search");
    }

    private static async Task<SearchResponse> Answered(Line line, SearchRequest search, PollRun run, CancellationToken stop)
    {
        await run.Pace.Next(stop);
        SearchResponse? answer = null;
        await Told(line, () => answer = (SearchResponse)line.Directory.SendRequest(search), run, stop);
        return answer!;
    }

    /// <summary>Runs a call that blocks, on a thread of its own, and gives its faults words. A call of libldap's ends with its connection alone: a bind knows no time limit.</summary>
    private static async Task Told(Line line, Action call, PollRun run, CancellationToken stop)
    {
        var server = line.Server;
        var calling = Task.Factory.StartNew(call, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            await calling.WaitAsync(Patience, run.Clock, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            await line.Tunnel.DisposeAsync();
            await calling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw new PollFailedException($"{server} took the connection and does not answer within {Patience.TotalSeconds:0} s");
        }
        catch (Exception ended) when (stop.IsCancellationRequested && ended is DirectoryException or ObjectDisposedException)
        {
            throw new OperationCanceledException(stop);
        }
        catch (LdapException fault)
        {
            throw new PollFailedException(fault.ErrorCode == InvalidCredentials
                ? $"{server} does not take the user '{server.Source.User}' with this password" : $"{server}: {fault.Message}");
        }
        catch (DirectoryOperationException fault)
        {
            throw new PollFailedException($"{server} refuses the search below '{server.Source.BaseName}': {fault.Message}{(fault.Response?.ErrorMessage is { Length: > 0 } more ? $" ({more})" : "")}");
        }
        catch (DllNotFoundException)
        {
            throw new PollFailedException("this machine has no libldap (Debian and Ubuntu: apt-get install libldap-2.5-0 or libldap2)");
        }
    }

    private static async Task See(SearchResultEntry computer, AddressLookUps lookUps, PollRun run, CancellationToken stop)
    {
        var dns = TextOf(computer, "dNSHostName");
        var names = new[] { dns, TextOf(computer, "cn") }.OfType<string>().Where(n => dns is null || n == dns || !dns.StartsWith(n + ".", StringComparison.OrdinalIgnoreCase))
            .Select(n => new SeenName(NameSource.Directory, n));
        var addresses = ValuesOf(computer, "ipHostNumber").Select(t => IPAddress.TryParse(t, out var address) ? address : null).OfType<IPAddress>().ToList();
        if (run.Order.Full && dns is not null && addresses.Count == 0)
            addresses.AddRange(await lookUps.Of(dns, stop));
        var mac = ValuesOf(computer, "macAddress").Select(MacAddress.Parse).FirstOrDefault(m => m is not null);
        run.See(mac, addresses, names, [], $"ldap:{IdentityOf(computer)}", string.Join(' ', new[] { TextOf(computer, "operatingSystem"), TextOf(computer, "operatingSystemVersion") }.OfType<string>()));
    }

    private static string IdentityOf(SearchResultEntry computer) =>
        computer.Attributes["objectGUID"] is { Count: > 0 } guid && guid.GetValues(typeof(byte[])) is [byte[] { Length: 16 } bytes, ..] ? new Guid(bytes).ToString()
        : TextOf(computer, "entryUUID") ?? computer.DistinguishedName.ToLower(CultureInfo.InvariantCulture);

    private static string? TextOf(SearchResultEntry entry, string attribute) => ValuesOf(entry, attribute).FirstOrDefault(t => t.Length > 0);

    private static IEnumerable<string> ValuesOf(SearchResultEntry entry, string attribute) =>
        entry.Attributes[attribute] is { } values ? values.GetValues(typeof(string)).OfType<string>() : [];

    private sealed record Line(DirectoryServer Server, LdapConnection Directory, DirectoryTunnel Tunnel);
}
