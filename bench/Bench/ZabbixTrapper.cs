using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using Fleet.TestSupport;

namespace Fleet.Bench;

/// <summary>
/// A Zabbix server on this machine, on a durable PostgreSQL of its own, to which hosts send texts as trapper items: as many in a request as an office node puts into a frame, each as long as a
/// device's sealed report. It acknowledges what it holds in memory, over plain TCP, and verifies nothing; what counts is in its history. The sender's protocol is spoken by hand (Zabbix 6.0
/// manual, appendix "Zabbix sender protocol" and "Header").
/// </summary>
internal static class ZabbixTrapper
{
    private const string Program = "zabbix_server";
    private const string Package = "zabbix-server-pgsql";
    private const string Schema = $"/usr/share/{Package}/schema.sql.gz";
    private const string Key = "report";
    private const int TrapperItem = 2;
    private const int TextValue = 4;

    /// <summary>ListenPort takes none above.</summary>
    private const int LastPort = 32_767;

    /// <summary>Like office.relay.frame-items.</summary>
    private const int ValuesTogether = 200;

    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Says what this machine lacks; null: nothing.</summary>
    public static string? Unable() => File.Exists(Schema) ? PrivatePostgres.Unable() : $"needs Zabbix (Debian: apt-get install {Package})";

    /// <summary>Texts that are in its history, a second, until the last is.</summary>
    /// <param name="senders">That send at once, each for its own share of the hosts, one request after the other.</param>
    /// <param name="length">Of a text.</param>
    /// <exception cref="LabException">It did not start, or refused values.</exception>
    public static async Task<double> Run(int senders, int hostsPerSender, int length, int seconds, CancellationToken stop)
    {
        var directory = Directory.CreateTempSubdirectory("fleet-bench-zabbix-");
        var postgres = await PrivatePostgres.Start(durable: true).ConfigureAwait(false);
        await using (postgres.ConfigureAwait(false))
        {
            try
            {
                var database = new Npgsql.NpgsqlConnectionStringBuilder(await postgres.NewDatabase().ConfigureAwait(false)).Database!;
                await postgres.Execute(database, await SchemaText(stop).ConfigureAwait(false)).ConfigureAwait(false);
                await postgres.Execute(database, Hosts(senders * hostsPerSender)).ConfigureAwait(false);
                var (port, file) = (FreePorts.Within(20_000, LastPort), Path.Combine(directory.FullName, "server.conf"));
                await File.WriteAllTextAsync(file, Settings(postgres, database, port, directory.FullName, senders), stop).ConfigureAwait(false);
                // Of the processes that it is, one is ready for senders when the last has started.
                using var server = await LabProcess.Start(Program, [Program, "-f", "-c", file], "[trapper #1]", StartPatience).ConfigureAwait(false);
                await Send(port, 0, hostsPerSender, length, TimeSpan.FromSeconds(2), stop).ConfigureAwait(false);
                var before = await Stored(postgres, database).ConfigureAwait(false);

                var began = Stopwatch.StartNew();
                var sent = await Task.WhenAll(Enumerable.Range(0, senders).Select(sender => Task.Run(() => Send(port, sender * hostsPerSender, hostsPerSender, length, TimeSpan.FromSeconds(seconds), stop), stop))).ConfigureAwait(false);
                await Until.True(async () => await Stored(postgres, database).ConfigureAwait(false) - before >= sent.Sum(), "all texts are in Zabbix' history", Patience).WaitAsync(stop).ConfigureAwait(false);
                return Math.Round(sent.Sum() / began.Elapsed.TotalSeconds);
            }
            finally
            {
                directory.Delete(recursive: true);
            }
        }
    }

    private static async Task<long> Stored(PrivatePostgres postgres, string database) => (long)(await postgres.Execute(database, "SELECT count(*) FROM history_text").ConfigureAwait(false))!;

    /// <returns>How many were acknowledged.</returns>
    private static async Task<long> Send(int port, int firstHost, int hosts, int length, TimeSpan lasting, CancellationToken stop)
    {
        var (clock, sent, next) = (Stopwatch.StartNew(), 0L, 0);
        while (clock.Elapsed < lasting)
        {
            var data = Enumerable.Range(0, Math.Min(ValuesTogether, hosts)).Select(_ => Text(firstHost + (next++ % hosts), length, sent)).ToList();
            await Request(port, JsonSerializer.SerializeToUtf8Bytes(new { request = "sender data", data }), data.Count, stop).ConfigureAwait(false);
            sent += data.Count;
        }

        return sent;
    }

    private static object Text(int host, int length, long number)
    {
        var now = DateTimeOffset.UtcNow;
        return new { host = NameOf(host), key = Key, value = number.ToString(CultureInfo.InvariantCulture).PadRight(length, 'r'), clock = now.ToUnixTimeSeconds(), ns = now.Ticks % TimeSpan.TicksPerSecond * 100 };
    }

    // One connection a request, as its own sender does.
    private static async Task Request(int port, byte[] body, int values, CancellationToken stop)
    {
        using var tcp = new TcpClient { NoDelay = true };
        await tcp.ConnectAsync(IPAddress.Loopback, port, stop).ConfigureAwait(false);
        var stream = tcp.GetStream();
        var header = new byte[13];
        "ZBXD\u0001"u8.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(5), body.Length);
        await stream.WriteAsync((byte[])[.. header, .. body], stop).ConfigureAwait(false);
        await stream.ReadExactlyAsync(header, stop).ConfigureAwait(false);
        var answer = new byte[BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(5))];
        await stream.ReadExactlyAsync(answer, stop).ConfigureAwait(false);
        if (!Encoding.UTF8.GetString(answer).Contains(string.Create(CultureInfo.InvariantCulture, $"processed: {values};"), StringComparison.Ordinal))
            throw new LabException($"Zabbix refused values: {Encoding.UTF8.GetString(answer)}");
    }

    private static string NameOf(int host) => string.Create(CultureInfo.InvariantCulture, $"host-{host}");

    private static async Task<string> SchemaText(CancellationToken stop)
    {
        await using var file = File.OpenRead(Schema);
        await using var unpacked = new GZipStream(file, CompressionMode.Decompress);
        using var reader = new StreamReader(unpacked);
        return await reader.ReadToEndAsync(stop).ConfigureAwait(false);
    }

    /// <summary>What its installer and an administrator would have made: a user, a group, the settings, and hosts with one item each.</summary>
    private static string Hosts(int count) => string.Create(CultureInfo.InvariantCulture, $"""
        INSERT INTO role (roleid, name, type) VALUES (1, 'bench', 3);
        INSERT INTO users (userid, username, passwd, roleid) VALUES (1, 'bench', '', 1);
        INSERT INTO hstgrp (groupid, name) VALUES (1, 'bench');
        INSERT INTO config (configid, discovery_groupid) VALUES (1, 1);
        INSERT INTO hosts (hostid, host, name) SELECT n + 1, 'host-' || n, 'host-' || n FROM generate_series(0, {count - 1}) n;
        INSERT INTO hosts_groups (hostgroupid, hostid, groupid) SELECT n + 1, n + 1, 1 FROM generate_series(0, {count - 1}) n;
        INSERT INTO items (itemid, hostid, type, value_type, name, key_) SELECT n + 1, n + 1, {TrapperItem}, {TextValue}, '{Key}', '{Key}' FROM generate_series(0, {count - 1}) n;
        INSERT INTO item_rtdata (itemid) SELECT n + 1 FROM generate_series(0, {count - 1}) n;
        """);

    private static string Settings(PrivatePostgres postgres, string database, int port, string directory, int senders) => string.Create(CultureInfo.InvariantCulture, $"""
        ListenIP=127.0.0.1
        ListenPort={port}
        DBHost=127.0.0.1
        DBPort={postgres.Port}
        DBName={database}
        DBUser={PrivatePostgres.User}
        DBPassword={postgres.Password}
        LogType=console
        PidFile={directory}/pid
        SocketDir={directory}
        AllowRoot=1
        StartTrappers={senders}
        StartDBSyncers=4
        CacheSize=256M
        HistoryCacheSize=512M
        HistoryIndexCacheSize=128M
        ValueCacheSize=0

        """);
}
