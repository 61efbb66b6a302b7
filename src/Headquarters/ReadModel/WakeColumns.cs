using System.Data;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.ReadModel;

/// <summary>What a wake-up's beginning, its end, or both mean for the device's row.</summary>
/// <param name="Counter">Null, as when it was requested: it began before, and the row has it.</param>
internal sealed record WakeColumns(long? Counter, DateTimeOffset? RequestedAt, DateTimeOffset? EndedAt, int? Channel, double? TookMilliseconds, string Detail)
{
    /// <summary>Puts them into a row that is not read.</summary>
    public static DeviceStatement<WakeColumns> Statement { get; } = new(
        """
        wake_counter = coalesce(@counter, wake_counter), wake_requested_at = coalesce(@requested_at, wake_requested_at),
        wake_ended_at = @ended_at, wake_channel = @channel, wake_took_ms = @took, wake_detail = @detail
        """,
        ("@counter", DbType.Int64, w => w.Counter),
        ("@requested_at", DbType.Int64, w => w.RequestedAt?.ToUnixTimeMilliseconds()),
        ("@ended_at", DbType.Int64, w => w.EndedAt?.ToUnixTimeMilliseconds()),
        ("@channel", DbType.Int32, w => w.Channel),
        ("@took", DbType.Double, w => w.TookMilliseconds),
        ("@detail", DbType.String, w => w.Detail));

    public static WakeColumns Of(DeviceWakeRequested e) => new((long)e.Counter, e.At, null, null, null, "");

    public static WakeColumns Of(DeviceWakeEnded e) => new(null, null, e.At, (int?)e.Channel, e.Took.TotalMilliseconds, e.Detail);

    /// <summary>What both came to, this one after the other.</summary>
    public WakeColumns After(WakeColumns before) => this with { Counter = Counter ?? before.Counter, RequestedAt = RequestedAt ?? before.RequestedAt };

    /// <summary>Puts them into a row that is read already; means the same as <see cref="Statement"/>.</summary>
    public void Fill(DeviceRow row)
    {
        (row.WakeCounter, row.WakeRequestedAt) = (Counter ?? row.WakeCounter, RequestedAt ?? row.WakeRequestedAt);
        (row.WakeEndedAt, row.WakeChannel, row.WakeTookMilliseconds, row.WakeDetail) = (EndedAt, Channel, TookMilliseconds, Detail);
    }
}
