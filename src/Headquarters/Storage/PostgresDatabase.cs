using System.Net.Sockets;
using Fleet.Contracts.Storage;
using Npgsql;

namespace Fleet.Headquarters.Storage;

/// <summary>
/// The PostgreSQL database that holds journal, snapshots and read model of a headquarters, in the schema <c>fleet</c>. Several nodes share it: what only one
/// of them may do at a time is done under a lock of the database's.
/// </summary>
public sealed class PostgresDatabase
{
    public const string Schema = "fleet";

    /// <summary>Names the lock under which tables are made; any number that nobody else uses.</summary>
    private const long Lock = 0x666C656574;

    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    private readonly NpgsqlConnectionStringBuilder _given;
    private readonly TimeSpan _wait;
    private readonly Action<string> _say;

    /// <param name="say">Told once when the server is waited for.</param>
    public PostgresDatabase(StorageOptions options, Action<string>? say = null)
    {
        (_given, _wait, _say) = (new NpgsqlConnectionStringBuilder(options.ConnectionString), options.WaitForServer, say ?? (_ => { }));
        // Two pools, so that whoever reads lists does not keep a twin from writing; one connection is the listener's, one the preparer's.
        var journal = options.MaxConnections / 2;
        // A node that vanished while it wrote would keep the read model waiting: the server ends what it left open.
        JournalConnections = With("fleet journal", p => (p.MaxPoolSize, p.Options) = (journal, $"{p.Options} -c idle_in_transaction_session_timeout=20s -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3".Trim()));
        ReadModelConnections = With("fleet read model", p => p.MaxPoolSize = options.MaxConnections - journal - 2);
        ListenConnection = With("fleet notices", p => (p.Pooling, p.KeepAlive) = (false, 10));
    }

    /// <summary>As people read it, without the password.</summary>
    public string Name => $"database '{_given.Database}' at {_given.Host}:{_given.Port}";

    public string JournalConnections { get; }

    public string ReadModelConnections { get; }

    public string ListenConnection { get; }

    /// <summary>Does work that no other node does at the same time; waits a bounded time for a server that is not up yet.</summary>
    /// <exception cref="StorageException">The server or the database can't be used; the message says what to do.</exception>
    internal async Task<T> Alone<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellation = default)
    {
        var (began, said) = (TimeProvider.System.GetTimestamp(), false);
        while (true)
        {
            try
            {
                return await Once(work, cancellation);
            }
            catch (Exception fault) when (fault is NpgsqlException or SocketException or TimeoutException)
            {
                if (!PassesByItself(fault) || TimeProvider.System.GetElapsedTime(began) > _wait)
                    throw new StorageException(Say(fault));
                if (!said)
                    _say($"{Say(fault)}. Waiting for it up to {_wait.TotalSeconds:0} s");
                said = true;
            }

            await Task.Delay(Retry, cancellation);
        }
    }

    /// <summary>What went wrong and what to do, in words for an administrator.</summary>
    public string Say(Exception fault) => $"PostgreSQL, {Name}: {(ServersOwn(fault) ?? fault) switch
    {
        PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification } e =>
            $"it does not let '{_given.Username}' in ({e.MessageText}). Set the right user and password in fleet.storage.connection-string or fleet.storage.password-file, and see what its pg_hba.conf allows",
        PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } =>
            $"there is no such database. Make it: createdb -O {_given.Username} {_given.Database}",
        PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } e =>
            $"'{_given.Username}' lacks a right there ({e.MessageText}). Let it make its tables: GRANT CREATE ON DATABASE \"{_given.Database}\" TO \"{_given.Username}\"; what is in the schema {Schema} must be its own",
        PostgresException { SqlState: PostgresErrorCodes.TooManyConnections or PostgresErrorCodes.ConfigurationLimitExceeded } e =>
            $"it has no connection left ({e.MessageText}). Raise its max_connections, or lower fleet.storage.max-connections of the nodes that share it",
        PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction } => "it is read-only, as a standby is. Name the primary in fleet.storage.connection-string",
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } e => $"its disk is full ({e.MessageText}). Make room there; it goes on by itself",
        PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow } e => $"it does not serve yet ({e.MessageText})",
        PostgresException e => $"{e.MessageText} ({e.SqlState})",
        _ when IsPoolEmpty(fault) => $"all connections of this node are in use ({fault.GetBaseException().Message}). Raise fleet.storage.max-connections where its max_connections has room",
        _ when Unreachable(fault) => $"it can't be reached ({fault.GetBaseException().Message}). See that it runs, that nothing on the way blocks its port, and that fleet.storage.connection-string names it",
        _ => fault.Message,
    }}";

    /// <summary>The same of a fault that may be another's than the database's.</summary>
    public string SayIfOwn(Exception fault)
    {
        var first = ServersOwn(fault) ?? (fault is AggregateException many ? many.GetBaseException() : fault);
        return first.GetBaseException() is NpgsqlException or SocketException or TimeoutException or IOException ? Say(first) : first.GetBaseException().Message;
    }

    // The journal's plugin wraps what failed together with what failed when it was to be undone.
    private static PostgresException? ServersOwn(Exception? fault) => fault switch
    {
        null => null,
        PostgresException own => own,
        AggregateException many => many.InnerExceptions.Select(ServersOwn).FirstOrDefault(own => own is not null),
        _ => ServersOwn(fault.InnerException),
    };

    private static bool PassesByItself(Exception fault) => fault is PostgresException e
        ? e.SqlState is PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.TooManyConnections or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown
        : Unreachable(fault);

    // Npgsql has no code for it.
    private static bool IsPoolEmpty(Exception fault) => fault is NpgsqlException { InnerException: TimeoutException } && fault.Message.Contains("pool", StringComparison.Ordinal);

    private static bool Unreachable(Exception fault) => fault.GetBaseException() is SocketException or TimeoutException or IOException;

    private async Task<T> Once<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellation)
    {
        await using var connection = new NpgsqlConnection(With("fleet", p => (p.Pooling, p.CommandTimeout) = (false, 0)));
        await connection.OpenAsync(cancellation);
        // Kept until the connection closes.
        await Run(connection, $"SELECT pg_advisory_lock({Lock})");
        // Where an administrator made the schema, the right to make one is not needed.
        if (await Run(connection, $"SELECT to_regnamespace('{Schema}')::text") is DBNull)
            await Run(connection, $"CREATE SCHEMA {Schema}");
        return await work(connection);
    }

    /// <summary>Runs one or several statements; gives the first value.</summary>
    internal static async Task<object?> Run(NpgsqlConnection connection, string sql, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return await command.ExecuteScalarAsync();
    }

    // What the administrator wrote comes first.
    private string With(string application, Action<NpgsqlConnectionStringBuilder> set)
    {
        // Encryption by Kerberos is looked for before anything else, and in a network without names that takes longer than a connection may; TLS is not touched by it.
        var parts = new NpgsqlConnectionStringBuilder { GssEncryptionMode = GssEncryptionMode.Disable, ApplicationName = application, Timeout = 5, TcpKeepAlive = true, TcpKeepAliveTime = 10, TcpKeepAliveInterval = 5, IncludeErrorDetail = true };
        foreach (var (key, value) in _given)
            if (value is not null)
                parts[key] = value;
        parts.SearchPath = Schema;
        set(parts);
        return parts.ToString();
    }
}
