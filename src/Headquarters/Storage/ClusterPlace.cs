using System.Net.Sockets;
using Fleet.Contracts.Storage;
using Npgsql;

namespace Fleet.Headquarters.Storage;

/// <summary>
/// A node's place among the headquarters nodes that share a database, held by locks of a connection of its own (PostgreSQL 13.3.5, advisory locks): they go with
/// the connection, so a node that is gone holds nobody up. Keeps two nodes from having one name, and a node that can't see the others from founding a second
/// cluster beside theirs.
/// </summary>
internal sealed class ClusterPlace : IAsyncDisposable
{
    /// <summary>Under this name the journal's table of facts has the cluster's id.</summary>
    private const string ClusterFact = "cluster";

    /// <summary>Held shared by every node that runs.</summary>
    private const long Running = 0x666C656575;

    /// <summary>With the hash of a node's name, held by that node.</summary>
    private const int Names = 0x666C65;

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    private readonly PostgresDatabase _database;
    private readonly string _name;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource<string> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private NpgsqlConnection _connection;
    private Task _keeping = Task.CompletedTask;

    private ClusterPlace(PostgresDatabase database, string name, NpgsqlConnection connection, bool alone, string clusterId) =>
        (_database, _name, _connection, Alone, ClusterId) = (database, name, connection, alone, clusterId);

    /// <summary>Whether no other node ran when this one came: it may found the cluster.</summary>
    public bool Alone { get; }

    /// <summary>Tells headquarters on one database from another, such as one that was restored beside it and has the same CA.</summary>
    public string ClusterId { get; }

    /// <summary>Done, with the reason, when another node took the name while this one's way to the database was broken.</summary>
    public Task<string> Lost => _lost.Task;

    /// <param name="name">Of this node, the same at each start and no other's.</param>
    /// <exception cref="StorageException">The name is in use, or the database can't be reached.</exception>
    public static async Task<ClusterPlace> Take(PostgresDatabase database, string name, CancellationToken cancellation)
    {
        var connection = new NpgsqlConnection(database.ListenConnection);
        try
        {
            await connection.OpenAsync(cancellation);
            if (!await TakeName(connection, name))
                throw new StorageException(Taken(name));
            var alone = await PostgresDatabase.Run(connection, $"SELECT pg_try_advisory_lock({Running})") is true;
            await PostgresDatabase.Run(connection, $"SELECT pg_advisory_lock_shared({Running})");
            if (alone)
                await PostgresDatabase.Run(connection, $"SELECT pg_advisory_unlock({Running})");
            await PostgresDatabase.Run(connection, $"INSERT INTO storage_facts VALUES ('{ClusterFact}', gen_random_uuid()::text) ON CONFLICT (name) DO NOTHING");
            var clusterId = (string)(await PostgresDatabase.Run(connection, $"SELECT value FROM storage_facts WHERE name = '{ClusterFact}'"))!;
            var place = new ClusterPlace(database, name, connection, alone, clusterId);
            place._keeping = place.Keep();
            return place;
        }
        catch (Exception fault)
        {
            await connection.DisposeAsync();
            if (fault is NpgsqlException or SocketException or TimeoutException)
                throw new StorageException(database.Say(fault));
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _keeping;
        await _connection.DisposeAsync();
        _stopping.Dispose();
    }

    private static string Taken(string name) =>
        $"another headquarters node runs as {name} on the same database: each node has a fleet.cluster.address of its own, and a data directory that was not copied";

    // The server notices within half a minute that a node's machine is gone; by itself it would take two hours.
    private static async Task<bool> TakeName(NpgsqlConnection connection, string name)
    {
        await PostgresDatabase.Run(connection, "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4; SET idle_session_timeout = 0");
        return await PostgresDatabase.Run(connection, $"SELECT pg_try_advisory_lock({Names}, hashtext($1))", name) is true;
    }

    private async Task Keep()
    {
        try
        {
            using var timer = new PeriodicTimer(LookEvery);
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                if (await IsHeld() || await TakeAgain())
                    continue;
                _lost.TrySetResult(Taken(_name));
                return;
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    private async Task<bool> IsHeld()
    {
        try
        {
            await PostgresDatabase.Run(_connection, "SELECT 1");
            return true;
        }
        catch (Exception fault) when (IsPassing(fault))
        {
            return false;
        }
    }

    /// <returns>False: another has the name. True also while the database can't be reached: then nobody can take it.</returns>
    private async Task<bool> TakeAgain()
    {
        await _connection.DisposeAsync();
        _connection = new NpgsqlConnection(_database.ListenConnection);
        try
        {
            await _connection.OpenAsync(_stopping.Token);
            if (!await TakeName(_connection, _name))
                return false;
            await PostgresDatabase.Run(_connection, $"SELECT pg_advisory_lock_shared({Running})");
            return true;
        }
        catch (Exception fault) when (IsPassing(fault))
        {
            return true;
        }
    }

    private static bool IsPassing(Exception fault) => fault is NpgsqlException or SocketException or TimeoutException or InvalidOperationException or IOException;
}
