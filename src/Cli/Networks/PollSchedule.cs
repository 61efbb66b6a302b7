using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Contracts;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Networks;

/// <summary><c>fleet poll schedule</c>: shows how an office is polled, and changes one method where options say so.</summary>
internal static class PollSchedule
{
    private const string Never = "never";

    public static Command Make(FleetCommands commands)
    {
        var options = new Options();
        return commands.Remote("schedule", "Shows who polls an office and when; with --method, changes how one method does.", """
            fleet poll schedule leeds
            fleet poll schedule leeds --method ip-range --every 12h --quick-every 1h --range 192.168.1.0/24 --pace 100
            fleet poll schedule leeds --method mdns --off
            fleet poll schedule leeds --method ldap --directory dc1.shop.example --user svc@shop.example --password @/run/ldap.password
            """,
            async call =>
            {
                var path = Query.Path("offices", call.Value(options.Office), "/poll-schedule");
                var now = await call.Client.Get(path, ApiJson.Default.PollScheduleResource, call.Cancellation).ConfigureAwait(false);
                if (call.Value(options.Method) is { } method)
                    now = await call.Client.Send(HttpMethod.Put, $"{path}/{method}", options.Changed(call, now.Methods.FirstOrDefault(m => m.Method == method)),
                        ApiJson.Default.PollMethodContent, ApiJson.Default.PollScheduleResource, call.Cancellation).ConfigureAwait(false);
                else if (options.SaysMore(call))
                    throw CommandFailure.Usage("say with --method which method the other options are for: ip-range, mdns or ldap");
                Show(call, now);
            },
            options.All);
    }

    private static void Show(RemoteCall call, PollScheduleResource schedule) => call.Display.Show(schedule, ApiJson.Default.PollScheduleResource, () =>
    {
        call.Display.Facts(
        [
            ("office", schedule.Office),
            ("polled by", schedule.Poller ?? "nobody now; give a node the role: fleet node assign NODE --role poller"),
            ("pace", $"{schedule.PacketsPerSecond} packets a second at most"),
        ]);
        call.Display.Section("Methods", ["METHOD", "FULL", "QUICK", "WHERE"], schedule.Methods.Select(IReadOnlyList<string> (m) =>
            [m.Method, m.Enabled ? m.FullEvery ?? Never : "off", m.Enabled ? m.QuickEvery ?? Never : "off", Where(m)]));
    });

    private static string Where(PollMethodResource method) => method.Method switch
    {
        "ip-range" => method.Ranges.Count > 0 ? string.Join(", ", method.Ranges) : "the poller's own networks",
        "ldap" => method.Directories.Count > 0 ? string.Join(", ", method.Directories.Select(d => $"{d.Host}:{d.Port} ({d.Security}{(d.User.Length > 0 ? $", {d.User}" : "")})")) : "no directory named",
        _ => "the poller's own networks",
    };

    private sealed class Options
    {
        private readonly Option<string?> _every = Duration("--every", "Between two full polls, such as 420m; 'never': none.");
        private readonly Option<string?> _quickEvery = Duration("--quick-every", "Between two quick polls; 'never': none.");
        private readonly Option<string[]> _ranges = new("--range") { Description = "Addresses to poll, such as 192.168.1.0/24; may repeat. Instead of those before.", HelpName = "RANGE" };
        private readonly Option<bool> _ownNetworks = new("--own-networks") { Description = "Poll the poller's own networks, not ranges." };
        private readonly Option<bool> _force = new("--force") { Description = "Also more addresses than a /16 has." };
        private readonly Option<bool> _on = new("--on") { Description = "Poll by this method." };
        private readonly Option<bool> _off = new("--off") { Description = "Don't." };
        private readonly Option<int?> _pace = new("--pace") { Description = "The most packets a second of all polls of the office together.", HelpName = "N" };
        private readonly Option<string?> _directory = new("--directory") { Description = "A domain controller for ldap, as HOST or HOST:PORT; added, or changed where it is known.", HelpName = "HOST" };
        private readonly Option<string?> _noDirectory = new("--no-directory") { Description = "Ask this directory no more; HOST or HOST:PORT.", HelpName = "HOST" };
        private readonly Option<string?> _security = new("--security") { Description = "tls (default), starttls or plain.", HelpName = "HOW" };
        private readonly Option<string?> _base = new("--base") { Description = "Distinguished name to search below. Default: the server's own.", HelpName = "DN" };
        private readonly Option<string?> _filter = new("--filter") { Description = "Which entries are machines (RFC 4515). Default: computers.", HelpName = "FILTER" };
        private readonly Option<string?> _user = new("--user") { Description = "Who asks the directory. Default: anonymous.", HelpName = "USER" };
        private readonly Option<string?> _password = new("--password") { Description = "Its password, as @FILE. The poller alone can read it.", HelpName = "@FILE" };
        private readonly Option<string?> _authority = new("--authority") { Description = "File with the CA's certificate (PEM) that the directory's must chain to. Default: what the node trusts.", HelpName = "FILE" };

        public Options()
        {
            Method.AcceptOnlyFromAmong(PollCommands.Methods);
            _security.AcceptOnlyFromAmong("tls", "starttls", "plain");
        }

        public Argument<string> Office { get; } = new("office") { Description = "The office's id." };

        public Option<string?> Method { get; } = new("--method") { Description = "The method to change: ip-range, mdns or ldap.", HelpName = "METHOD" };

        public Symbol[] All => [Office, Method, _every, _quickEvery, _ranges, _ownNetworks, _force, _on, _off, _pace, _directory, _noDirectory, _security, _base, _filter, _user, _password, _authority];

        public bool SaysMore(RemoteCall call) => All.OfType<Option>().Any(o => call.Parsed.GetResult(o) is { Implicit: false });

        /// <summary>The method's schedule with what the options say.</summary>
        /// <param name="now">As it is; null: headquarters has none for it.</param>
        public PollMethodContent Changed(RemoteCall call, PollMethodResource? now)
        {
            if (call.Value(_on) && call.Value(_off))
                throw CommandFailure.Usage("say --on or --off, not both");
            if (call.Value(_directory) is not null && call.Value(_noDirectory) is not null)
                throw CommandFailure.Usage("say --directory or --no-directory, not both");
            var ranges = call.Value(_ranges) is { Length: > 0 } given ? given : call.Value(_ownNetworks) ? [] : now?.Ranges ?? [];
            return new PollMethodContent(
                !call.Value(_off) && (call.Value(_on) || (now?.Enabled ?? true)),
                Every(call.Value(_quickEvery), now?.QuickEvery),
                Every(call.Value(_every), now?.FullEvery),
                ranges,
                call.Value(_force) || (now?.Force == true && call.Value(_ranges) is not { Length: > 0 }),
                Directories(call, now?.Directories ?? []),
                call.Value(_pace));
        }

        private static Option<string?> Duration(string name, string description)
        {
            var option = new Option<string?>(name) { Description = description, HelpName = "TIME" };
            option.Validators.Add(given =>
            {
                if (given.GetValueOrDefault<string?>() is { } text && text != Never && !DurationText.TryParse(text, out _))
                    given.AddError($"'{text}' is no duration such as 420m or 7h, nor '{Never}'");
            });
            return option;
        }

        private static string? Every(string? given, string? now) => given switch { null => now, Never => null, _ => given };

        private IReadOnlyList<DirectoryContent> Directories(RemoteCall call, IReadOnlyList<DirectoryResource> now)
        {
            var kept = now.Select(d => new DirectoryContent(d.Host, d.Port, d.Security, d.BaseName, d.Filter, d.User)).ToList();
            if (call.Value(_noDirectory) is { } gone)
                return kept.RemoveAll(d => Is(d, gone)) > 0 ? kept : throw CommandFailure.Usage($"no directory {gone} is asked{NearMiss.Hint(gone, now.Select(d => d.Host))}");
            if (call.Value(_directory) is not { } place)
                return kept;
            var (host, port) = Place(place);
            var changed = new DirectoryContent(host, port, call.Value(_security), call.Value(_base), call.Value(_filter), call.Value(_user), SecretFile.Read(call.Value(_password), "--password"), Text(call.Value(_authority)));
            return [.. kept.Where(d => !Is(d, place)), changed];
        }

        private static bool Is(DirectoryContent directory, string place) => Place(place) is var (host, port) && directory.Host == host && (port is null || directory.Port == port);

        private static (string Host, int? Port) Place(string text) => HostPort.Problem(text) is null ? HostPort.Parse(text) : (text.Trim('[', ']'), null);

        private static string? Text(string? file) => file is null ? null : SecretFile.Read("@" + file, "--authority");
    }
}
