using System.Data;
using System.Data.Common;
using LinqToDB.Data;

namespace Fleet.Headquarters.ReadModel;

/// <summary>
/// Writes columns of device rows without reading those. Nearly all that a busy read model does is this. Where the database is beside us, one
/// prepared statement runs for each; where it is behind a connection, all go there together. One statement for many rows would be bound by names that SQLite looks for one
/// after the other, which took half of the projection.
/// </summary>
/// <param name="text">Changes nothing where there is no row of the device.</param>
internal sealed class DeviceStatement<T>(string text, params IReadOnlyList<(string Name, DbType Type, Func<string, T, object?> Value)> parameters)
{
    /// <param name="columns">By device.</param>
    public void Execute(DataConnection db, IEnumerable<KeyValuePair<string, T>> columns)
    {
        var connection = db.OpenDbConnection();
        if (connection.CanCreateBatch)
            ExecuteTogether(db, connection, columns);
        else
            ExecuteEach(db, connection, columns);
    }

    private void ExecuteEach(DataConnection db, DbConnection connection, IEnumerable<KeyValuePair<string, T>> columns)
    {
        using var command = connection.CreateCommand();
        (command.CommandText, command.Transaction) = (text, db.Transaction);
        foreach (var (name, type, _) in parameters)
            command.Parameters.Add(New(command.CreateParameter(), name, type));
        command.Prepare();
        foreach (var (device, given) in columns)
        {
            foreach (var (at, (_, _, value)) in parameters.Index())
                command.Parameters[at].Value = value(device, given) ?? DBNull.Value;
            command.ExecuteNonQuery();
        }
    }

    private void ExecuteTogether(DataConnection db, DbConnection connection, IEnumerable<KeyValuePair<string, T>> columns)
    {
        using var batch = connection.CreateBatch();
        batch.Transaction = db.Transaction;
        foreach (var (device, given) in columns)
        {
            var command = batch.CreateBatchCommand();
            command.CommandText = text;
            foreach (var (name, type, value) in parameters)
            {
                var parameter = New(command.CreateParameter(), name, type);
                var said = value(device, given) ?? DBNull.Value;
                parameter.Value = said is string words ? ReadModelStore.WithoutNull(words) : said;
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
