using System.Globalization;
using Akka.Cluster.Sharding;
using Akka.Cluster.Tools.PublishSubscribe;
using Akka.Cluster.Tools.Singleton;
using Akka.Configuration;
using Akka.Persistence.Sql;
using Fleet.Headquarters.Storage;
using Fleet.Messages.Serialization;

namespace Fleet.Headquarters.Cluster;

/// <summary>The <c>akka { }</c> settings of the cluster system.</summary>
internal static class ClusterHocon
{
    private const string SharedPool = "akka.persistence.dispatchers.default-plugin-dispatcher";

    public static Config For(IJournalStore journal, JournalOptions options, ClusterOptions cluster) => ConfigurationFactory.ParseString($$"""
        akka {
          actor.provider = cluster
          # Twins work on threads of their own (decision 15). On the shared pool a ping, and each step of the journal's own work, would wait behind whatever a thousand twins have to do:
          # longer than a link's lease and than a write may take, when all devices are woken at once.
          actor.default-dispatcher {
            type = ForkJoinDispatcher
            dedicated-thread-pool {
              thread-count = {{Math.Max(2, Environment.ProcessorCount)}}
              threadtype = background
            }
          }
          log-dead-letters = 10
          log-dead-letters-during-shutdown = off
          cluster {
            sharding {
              # Nothing durable: offices that link and the company's list wake the twins.
              state-store-mode = ddata
              remember-entities = off
              # A twin holds presence and links, which a stop would lose.
              passivate-idle-entity-after = off
              # Until the coordinator has begun on another node nothing is decided for the offices of a lost one: every wait on the way there counts.
              retry-interval = 500ms
              waiting-for-state-timeout = 1s
              coordinator-failure-backoff = 1s
            }
            singleton.hand-over-retry-interval = 500ms
            singleton-proxy.singleton-identification-interval = 500ms
            downing-provider-class = "Akka.Cluster.SBR.SplitBrainResolverProvider, Akka.Cluster"
            split-brain-resolver.active-strategy = keep-majority
            split-brain-resolver.stable-after = {{Text(cluster.StableAfter)}}
            down-removal-margin = {{Text(cluster.TakeOverAfter)}}
            # While nodes are updated one after another, offices that move go to the updated ones.
            app-version = "{{HeadquartersNode.Version}}"
            failure-detector.acceptable-heartbeat-pause = {{Text(cluster.SilentFor)}}
          }
          persistence {
            max-concurrent-recoveries = {{options.MaxConcurrentRecoveries ?? journal.Recoveries}}
            journal.plugin = "akka.persistence.journal.sql"
            journal.sql {
              connection-string = {{Quoted(journal.ConnectionString)}}
              provider-name = "{{journal.ProviderName}}"
              auto-initialize = {{Switch(!journal.MakesOwnTables)}}
              parallelism = {{options.Parallelism ?? journal.Parallelism}}
              read-isolation-level = read-uncommitted
              materializer-dispatcher = {{SharedPool}}
              # Over this many waiting events a write fails; a frame of many devices is one write.
              buffer-size = 100000
              # A database that was away is tried again soon; each failed twin waits on its own besides.
              circuit-breaker.reset-timeout = 5s
            }
            snapshot-store.plugin = "akka.persistence.snapshot-store.sql"
            snapshot-store.sql {
              materializer-dispatcher = {{SharedPool}}
              # Akka's minute would keep twins away as long as that after the database is back: each asks for its snapshot first.
              circuit-breaker.reset-timeout = 5s
              auto-initialize = {{Switch(!journal.MakesOwnTables)}}
              connection-string = {{Quoted(journal.ConnectionString)}}
              provider-name = "{{journal.ProviderName}}"
              read-isolation-level = read-uncommitted
            }
            query.journal.sql {
              materializer-dispatcher = {{SharedPool}}
              connection-string = {{Quoted(journal.ConnectionString)}}
              provider-name = "{{journal.ProviderName}}"
              refresh-interval = {{Text(options.RefreshInterval)}}
              journal-sequence-retrieval.query-delay = {{Text(options.RefreshInterval)}}
              journal-sequence-retrieval.max-backoff-query-delay = 5s
              # As it is, a read takes SQLite's one place for writers, and makes the journal's writes wait. PostgreSQL reads what is committed all the same.
              read-isolation-level = read-uncommitted
              # Rows that are read ahead; one may hold many events (OfficeEvents).
              max-buffer-size = 50
            }
          }
          coordinated-shutdown.exit-clr = off
          coordinated-shutdown.run-by-clr-shutdown-hook = off
        }
        """)
        .WithFallback(FleetSerializer.Hocon)
        .WithFallback(SqlPersistence.DefaultConfiguration)
        .WithFallback(ClusterSharding.DefaultConfig())
        .WithFallback(ClusterSingleton.DefaultConfig())
        // Its serializer counts only where it is named before the system starts.
        .WithFallback(DistributedPubSub.DefaultConfig())
        .WithFallback(Akka.DistributedData.DistributedData.DefaultConfig());

    // Passwords may hold anything.
    private static string Quoted(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static string Switch(bool on) => on ? "on" : "off";

    private static string Text(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalMilliseconds}ms");
}
