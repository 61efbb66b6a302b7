using System.Diagnostics;
using System.Globalization;
using Fleet.NatLab.Topologies;
using Fleet.Swarm.Offices;

namespace Fleet.Bench;

/// <summary>
/// One request to the API wakes every device of a fleet. The time is from the request until the node of the last office has the signals of all its devices;
/// each signal is journaled as asked for, signed for its device and sent over the office's link. Beside it, in the same run: as many messages through a NATS
/// hub to leaf nodes, and through a mosquitto with QoS 1, which neither keep nor sign anything.
/// </summary>
internal static class WakeAll
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private const int Rounds = 2;

    public static Benchmark Benchmark { get; } = new("wake-all", "100,000 always-connected devices in 1,000 offices woken at once, beside a NATS hub with leaves and mosquitto", Run,
    [
        new Budget("last_office_s", 10, "s until the last office is reached"),
    ]);

    private static async Task<IReadOnlyDictionary<string, object>> Run(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        DebianPackages.Require("nats-server", "mosquitto");
        var watch = new Reached();
        double devices, offices, peak;
        var last = new double[Rounds];
        var fleet = await BigFleet.Start(options, 1000, 100_000, step, stop, watch).ConfigureAwait(false);
        await using (fleet.ConfigureAwait(false))
        {
            fleet.Swarm.DeriveKeys();
            await fleet.UntilKeysAreAhead(step, stop).ConfigureAwait(false);
            (devices, offices) = (fleet.Devices, fleet.Swarm.Offices.Count);
            for (var round = 0; round < Rounds; round++)
            {
                fleet.Sampler.Enter($"wake {round}");
                watch.Expect(fleet.Swarm.Offices);
                var asked = fleet.Operator.Does.WakeAll();
                await Swarm.FleetSwarm.Until(() => watch.AllReached || asked.IsFaulted, "all offices have the signals of their devices", stop, Patience).ConfigureAwait(false);
                var answer = await asked.ConfigureAwait(false);
                if (answer.Devices != (int)devices || answer.Refused.Count > 0)
                    throw new LabException($"{answer.Devices} of {devices} devices are being woken, {answer.Refused.Count} offices refused: {answer.Refused.FirstOrDefault()?.Why}");
                last[round] = watch.Last.TotalSeconds;
                step(string.Create(CultureInfo.InvariantCulture, $"{(round == 0 ? "for the first time" : "again")}: the last of {offices} offices has the signals of its devices after {last[round]:0.00} s"));
                // The next must not find these under way.
                await fleet.UntilAwake(Patience, stop).ConfigureAwait(false);
            }

            peak = fleet.Sampler.Of($"wake {Rounds - 1}").HqMegabytesPeak;
        }

        var nats = await NatsFanOut.Run((int)offices, (int)(devices / offices), stop).ConfigureAwait(false);
        step(string.Create(CultureInfo.InvariantCulture, $"NATS, hub and {NatsFanOut.Leaves} leaves: the last office after {nats.TotalSeconds:0.00} s"));
        var mosquitto = await MosquittoFanOut.Run((int)offices, (int)(devices / offices), stop).ConfigureAwait(false);
        step(string.Create(CultureInfo.InvariantCulture, $"mosquitto, {NatsFanOut.Leaves} clients, QoS 1: the last office after {mosquitto.TotalSeconds:0.00} s"));
        return new Dictionary<string, object>
        {
            ["offices"] = offices,
            ["devices"] = devices,
            ["first_last_office_s"] = Math.Round(last[0], 2),
            ["last_office_s"] = Math.Round(last[^1], 2),
            ["nats_last_s"] = Math.Round(nats.TotalSeconds, 2),
            ["mosquitto_last_s"] = Math.Round(mosquitto.TotalSeconds, 2),
            ["hq_peak_rss_mb"] = peak,
        };
    }

    /// <summary>When each office had the wake orders of all its devices.</summary>
    private sealed class Reached : Swarm.Offices.ISwarmWatch
    {
        private Dictionary<SimOffice, Counter> _left = [];
        private long _began;
        private long _last;
        private int _open = 1;

        public bool AllReached => Volatile.Read(ref _open) == 0;

        public TimeSpan Last => Stopwatch.GetElapsedTime(_began, Interlocked.Read(ref _last));

        public void Expect(IReadOnlyList<SimOffice> offices)
        {
            Volatile.Write(ref _open, offices.Count);
            Volatile.Write(ref _left, offices.ToDictionary(o => o, o => new Counter { Left = o.Devices }));
            _began = Stopwatch.GetTimestamp();
        }

        public void Woken(SimOffice office, int devices)
        {
            // Under the office's lock: no other thread counts for it.
            if (!Volatile.Read(ref _left).TryGetValue(office, out var counter) || counter.Left <= 0 || (counter.Left -= devices) > 0)
                return;
            Interlocked.Exchange(ref _last, Stopwatch.GetTimestamp());
            Interlocked.Decrement(ref _open);
        }

        private sealed class Counter
        {
            public int Left { get; set; }
        }
    }
}
