using System.Net.Sockets;
using Fleet.Headquarters.Storage;
using Npgsql;

namespace Fleet.Headquarters.ReadModel;

/// <summary>Hears from PostgreSQL that another node wrote the read model, and raises this node's signal. Listens anew when the connection breaks.</summary>
internal sealed class ReadModelNotices : IAsyncDisposable
{
    private const string Channel = "fleet_read_model";

    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    /// <summary>Goes with this node's own notices, which it need not hear.</summary>
    private readonly string _self = Guid.NewGuid().ToString("n");

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _listening;

    public ReadModelNotices(PostgresDatabase database, ReadModelSignal changes) => _listening = Listen(database.ListenConnection, changes);

    /// <summary>Tells the other nodes, as soon as the transaction is committed that runs this.</summary>
    public string Statement => $"SELECT pg_notify('{Channel}', '{_self}')";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _listening;
        _stop.Dispose();
    }

    private async Task Listen(string connectionString, ReadModelSignal changes)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await using var connection = new NpgsqlConnection(connectionString);
                await connection.OpenAsync(_stop.Token);
                connection.Notification += (_, notice) =>
                {
                    if (notice.Payload != _self)
                        changes.Raise();
                };
                await PostgresDatabase.Run(connection, $"LISTEN {Channel}");
                // What was written while nobody listened.
                changes.Raise();
                while (true)
                    await connection.WaitAsync(_stop.Token);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault) when (fault is NpgsqlException or SocketException or IOException or TimeoutException)
            {
                // Whoever needs the database says that it is away.
                await Task.Delay(Retry, _stop.Token).ContinueWith(_ => { }, TaskScheduler.Default);
            }
        }
    }
}
