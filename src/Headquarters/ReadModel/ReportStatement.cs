using System.Data;
using System.Data.Common;
using LinqToDB.Data;

namespace Fleet.Headquarters.ReadModel;

/// <summary>
/// Writes reports into the rows of their devices, without reading those. Nearly all that a busy read model does is this. Where the database is beside us, one
/// prepared statement runs for each; where it is behind a connection, all go there together. One statement for many rows would be bound by names that SQLite looks for one
/// after the other, which took half of the projection.
/// </summary>
internal static class ReportStatement
{
    // What is on the right of an assignment is the row as it was before.
    private const string Text = """
        UPDATE devices SET reported_version = @version, reported_at = @at, report = @report, packages = @packages, host_name = @host, os = @os, agent_version = @agent,
        applied_at = CASE WHEN applied_version <> @applied THEN @applied_at ELSE applied_at END,
        applied_known_at = CASE WHEN applied_version <> @applied THEN @applied_known_at ELSE applied_known_at END,
        applied_version = @applied
        WHERE device_id = @device
        """;

    private static readonly (string Name, DbType Type, Func<string, ReportedColumns, object?> Value)[] Parameters =
    [
        ("@version", DbType.Int64, (_, r) => r.Version),
        ("@at", DbType.Int64, (_, r) => r.At.ToUnixTimeMilliseconds()),
        ("@report", DbType.Binary, (_, r) => r.Report),
        ("@packages", DbType.String, (_, r) => r.Packages),
        ("@host", DbType.String, (_, r) => r.HostName),
        ("@os", DbType.String, (_, r) => r.Os),
        ("@agent", DbType.String, (_, r) => r.AgentVersion),
        ("@applied", DbType.Int64, (_, r) => r.AppliedVersion),
        ("@applied_at", DbType.Int64, (_, r) => r.AppliedAt?.ToUnixTimeMilliseconds()),
        ("@applied_known_at", DbType.Int64, (_, r) => r.AppliedKnownAt.ToUnixTimeMilliseconds()),
        ("@device", DbType.String, (device, _) => device),
    ];

    /// <summary>Changes nothing where there is no row: a removed device's last reports.</summary>
    public static void Execute(DataConnection db, IEnumerable<KeyValuePair<string, ReportedColumns>> reports)
    {
        var connection = db.OpenDbConnection();
        if (connection.CanCreateBatch)
            ExecuteTogether(db, connection, reports);
        else
            ExecuteEach(db, connection, reports);
    }

    private static void ExecuteEach(DataConnection db, DbConnection connection, IEnumerable<KeyValuePair<string, ReportedColumns>> reports)
    {
        using var command = connection.CreateCommand();
        (command.CommandText, command.Transaction) = (Text, db.Transaction);
        foreach (var (name, type, _) in Parameters)
            command.Parameters.Add(New(command.CreateParameter(), name, type));
        command.Prepare();
        foreach (var (device, reported) in reports)
        {
            foreach (var (at, (_, _, value)) in Parameters.Index())
                command.Parameters[at].Value = value(device, reported) ?? DBNull.Value;
            command.ExecuteNonQuery();
        }
    }

    private static void ExecuteTogether(DataConnection db, DbConnection connection, IEnumerable<KeyValuePair<string, ReportedColumns>> reports)
    {
        using var batch = connection.CreateBatch();
        batch.Transaction = db.Transaction;
        foreach (var (device, reported) in reports)
        {
            var command = batch.CreateBatchCommand();
            command.CommandText = Text;
            foreach (var (name, type, value) in Parameters)
            {
                var parameter = New(command.CreateParameter(), name, type);
                var given = value(device, reported) ?? DBNull.Value;
                parameter.Value = given is string text ? ReadModelStore.WithoutNull(text) : given;
                command.Parameters.Add(parameter);
            }

            batch.BatchCommands.Add(command);
        }

        batch.ExecuteNonQuery();
    }

    private static DbParameter New(DbParameter parameter, string name, DbType type)
    {
        (parameter.ParameterName, parameter.DbType) = (name, type);
        return parameter;
    }
}
