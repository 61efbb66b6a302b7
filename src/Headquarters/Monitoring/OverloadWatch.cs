using System.Diagnostics;
using Fleet.Gateway.Monitoring;
using Fleet.Messages.Admission;

namespace Fleet.Headquarters.Monitoring;

/// <summary>Looks once a second whether a headquarters node is overloaded, says so when it begins and when it is over, and sets what its parts put off. Runs until disposed.</summary>
internal sealed partial class OverloadWatch : IAsyncDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly OverloadOptions _options;
    private readonly Overload _overload;
    private readonly JournalPulse _journal;
    private readonly ProjectionLag _projection;
    private readonly Func<bool> _doorFull;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;
    private volatile OverloadStand _stand = OverloadStand.None;

    /// <param name="overload">What the node's parts go by.</param>
    public OverloadWatch(OverloadOptions options, Overload overload, JournalPulse journal, ProjectionLag projection, Func<bool> doorFull, ILogger log)
    {
        (_options, _overload, _journal, _projection, _doorFull, _log) = (options, overload, journal, projection, doorFull, log);
        _watching = Task.Run(Watch);
    }

    /// <summary>0: none; else the highest <see cref="Deferrable"/> that is, or would be, put off.</summary>
    public int Level => _stand.PutsOff(Deferrable.Reports) ? (int)Deferrable.Reports : _stand.Level;

    /// <summary>For people; empty: it is not overloaded.</summary>
    public string Why => WhyOf(_stand);

    public Health Health => _stand is { IsOverloaded: true } stand ? Health.Degraded($"overloaded: {WhyOf(stand)}; put off: {PutOff(stand)}") : Health.Fine;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
    }

    private static string WhyOf(OverloadStand stand) => string.Join(", ", new[] { stand.Why, stand.WhyReports }.Where(w => w.Length > 0));

    /// <summary>What is put off by a node that is overloaded, in words.</summary>
    private string PutOff(OverloadStand stand)
    {
        if (!_options.PutOff)
            return "nothing";
        List<string> things = stand.PutsOff(Deferrable.Lists) ? ["lists", "discovery"] : [];
        if (stand.PutsOff(Deferrable.Enrolments))
            things.Add("enrolments");
        if (stand.PutsOff(Deferrable.Reports))
            things.Add("reports");
        return things.Count == 1 ? things[0] : $"{string.Join(", ", things.SkipLast(1))} and {things[^1]}";
    }

    private async Task Watch()
    {
        // By the machine's clock, also where the node's own is another: it is the machine that is late.
        using var timer = new PeriodicTimer(LookEvery);
        var last = Stopwatch.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                var late = Stopwatch.GetElapsedTime(last) - LookEvery;
                last = Stopwatch.GetTimestamp();
                Take(new Strain(late > TimeSpan.Zero ? late : TimeSpan.Zero, _journal.TakeSlowest(), _doorFull(), _projection.Behind), DateTimeOffset.UtcNow);
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    private void Take(Strain strain, DateTimeOffset now)
    {
        var before = _stand;
        _stand = OverloadRule.Next(before, strain, _options.Limits, now);
        if (_options.PutOff)
            _overload.Set(_stand);
        var more = _stand.Level > before.Level || (_stand.WhyReports.Length > 0 && before.WhyReports.Length == 0);
        if (_stand.IsOverloaded && !before.IsOverloaded)
            LogBegan(_log, Why, PutOff(_stand));
        else if (more && _options.PutOff)
            LogMore(_log, PutOff(_stand), Why);
        else if (!_stand.IsOverloaded && before.IsOverloaded)
            LogOver(_log);
    }

    [LoggerMessage(LogLevel.Warning, "This headquarters node is overloaded: {Why}. Put off: {PutOff}")]
    private static partial void LogBegan(ILogger log, string why, string putOff);

    [LoggerMessage(LogLevel.Warning, "This headquarters node is overloaded still; put off are now {PutOff}: {Why}")]
    private static partial void LogMore(ILogger log, string putOff, string why);

    [LoggerMessage(LogLevel.Information, "This headquarters node is no longer overloaded; nothing is put off")]
    private static partial void LogOver(ILogger log);
}
