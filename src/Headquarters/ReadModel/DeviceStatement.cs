using System.Data;
using System.Data.Common;
using LinqToDB.Data;
using Npgsql;
using NpgsqlTypes;

namespace Fleet.Headquarters.ReadModel;

/// <summary>
/// Writes columns of device rows without reading those. Nearly all that a busy read model does is this. SQLite, which is beside us, runs one prepared statement for each: of one for many rows it would look for
/// the parameters' names one after the other, which took half of the projection. PostgreSQL gets the columns of all rows with one statement: a statement for each is parsed and planned for each.
/// </summary>
/// <param name="assignments">What is set, with parameters that <paramref name="parameters"/> gives. On the right of an assignment a column is as it was before.</param>
/// <param name="parameters">Named as <c>@name</c>.</param>
internal sealed class DeviceStatement<T>(string assignments, params IReadOnlyList<(string Name, DbType Type, Func<T, object?> Value)> parameters)
{
    private const string Device = "@device";

    /// <summary>Before the name of a parameter that is a column of the rows that are sent: the table has columns of these names too.</summary>
    private const string Sent = "new_";

    private readonly IReadOnlyList<(string Name, DbType Type, Func<string, T, object?> Value)> _parameters =
        [.. parameters.Select(p => (p.Name, p.Type, (Func<string, T, object?>)((_, columns) => p.Value(columns)))), (Device, DbType.String, (device, _) => device)];
    private readonly string _each = $"UPDATE devices SET {assignments} WHERE device_id = {Device}";
    private readonly string _together = $"""
        UPDATE devices SET {Renamed(assignments, "sent." + Sent)}
        FROM unnest({Names(parameters)}) AS sent ({Renamed(Names(parameters), Sent)})
        WHERE {Renamed($"device_id = {Device}", "sent." + Sent)}
        """;

    /// <summary>Changes nothing where there is no row of a device.</summary>
    /// <param name="columns">By device.</param>
    public void Execute(DataConnection db, IReadOnlyCollection<KeyValuePair<string, T>> columns)
    {
        using var command = db.OpenDbConnection().CreateCommand();
        command.Transaction = db.Transaction;
        if (command is NpgsqlCommand together)
            ExecuteTogether(together, columns);
        else
            ExecuteEach(command, columns);
    }

    private void ExecuteEach(DbCommand command, IReadOnlyCollection<KeyValuePair<string, T>> columns)
    {
        command.CommandText = _each;
        foreach (var (name, type, _) in _parameters)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.DbType) = (name, type);
            command.Parameters.Add(parameter);
        }

        command.Prepare();
        foreach (var (device, given) in columns)
        {
            foreach (var (at, (_, _, value)) in _parameters.Index())
                command.Parameters[at].Value = value(device, given) ?? DBNull.Value;
            command.ExecuteNonQuery();
        }
    }

    private void ExecuteTogether(NpgsqlCommand command, IReadOnlyCollection<KeyValuePair<string, T>> columns)
    {
        command.CommandText = _together;
        foreach (var (name, type, value) in _parameters)
        {
            var (sql, element) = TypeOf(type);
            var all = Array.CreateInstance(element, columns.Count);
            foreach (var (at, (device, given)) in columns.Index())
                all.SetValue(Storable(value(device, given)), at);
            command.Parameters.Add(new NpgsqlParameter(name, NpgsqlDbType.Array | sql) { Value = all });
        }

        command.ExecuteNonQuery();
    }

    private static object? Storable(object? value) => value is string text ? ReadModelStore.WithoutNull(text) : value;

    private static string Names(IReadOnlyList<(string Name, DbType Type, Func<T, object?> Value)> parameters) => string.Join(", ", parameters.Select(p => p.Name).Append(Device));

    private static string Renamed(string text, string prefix) => text.Replace("@", prefix, StringComparison.Ordinal);

    private static (NpgsqlDbType Sql, Type Element) TypeOf(DbType type) => type switch
    {
        DbType.Int64 => (NpgsqlDbType.Bigint, typeof(long?)),
        DbType.Int32 => (NpgsqlDbType.Integer, typeof(int?)),
        DbType.Double => (NpgsqlDbType.Double, typeof(double?)),
        DbType.String => (NpgsqlDbType.Text, typeof(string)),
        DbType.Binary => (NpgsqlDbType.Bytea, typeof(byte[])),
        _ => throw new NotSupportedException($"{type} is no type of a device's columns"),
    };
}
