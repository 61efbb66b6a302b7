using Fleet.Contracts;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Headquarters.Tests.ReadModel;

/// <summary>What links that come and go are to an operator.</summary>
public abstract class IncidentTests(StorageProvider provider) : IAsyncLifetime
{
    private static readonly OfficeId Leeds = new("leeds");
    private static readonly NodeId First = new("gw1.leeds");
    private static readonly NodeId Second = new("gw2.leeds");
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero));
    private TestStorage _storage = null!;
    private long _position;

    public async Task InitializeAsync()
    {
        _storage = await TestStorage.New(provider);
        Happens(new OfficeOpened(Leeds, "Leeds", "test", Now));
        foreach (var node in new[] { First, Second })
        {
            Happens(new NodeEnrolled(Leeds, node, new DeviceId(node.Value.Replace('.', '-')), new CertificateRecord("01", default, 1, Now.AddDays(30)), Now));
            Happens(new NodeReported(Leeds, node, new NodeReport(0, [], [], "0.1.0", "host", Now, [], [], [], "directly", [], null), Now));
        }
    }

    private DateTimeOffset Now => _clock.GetUtcNow();

    [SkippableFact]
    public async Task An_office_that_goes_dark_is_one_incident_until_the_first_node_is_back()
    {
        Links(true, First, Second);
        Links(false, First, Second);
        _clock.Advance(TimeSpan.FromMinutes(5));

        var dark = Assert.Single(await Open());
        Assert.Equal((true, "leeds", Now.AddMinutes(-5)), (dark.WholeOffice, dark.Subject, dark.OpenedAt));

        Links(true, First);
        Assert.Equal("leeds", Assert.Single(await All(), i => i.ClosedAt is not null).Subject);
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("gw2.leeds", Assert.Single(await Open()).Subject);
    }

    [SkippableFact]
    public async Task A_node_that_is_down_while_another_carries_the_office_is_an_incident_of_its_own()
    {
        Links(true, First, Second);
        Links(false, Second);
        _clock.Advance(TimeSpan.FromMinutes(1));

        var down = Assert.Single(await Open());
        Assert.Equal((false, "gw2.leeds", "the lease ran out"), (down.WholeOffice, down.Subject, down.Why));
    }

    [SkippableFact]
    public async Task What_is_over_in_a_moment_is_none()
    {
        Links(true, First, Second);
        Links(false, First, Second);
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Empty(await Open());

        Links(true, First, Second);
        _clock.Advance(TimeSpan.FromHours(1));

        Assert.Empty(await All());
    }

    [SkippableFact]
    public async Task Who_is_removed_is_nobodys_trouble()
    {
        Links(true, First, Second);
        Links(false, Second);
        _clock.Advance(TimeSpan.FromMinutes(1));

        Happens(new NodeRemoved(Leeds, Second, "test", Now));

        Assert.Empty(await Open());
    }

    public async Task DisposeAsync() => await _storage.DisposeAsync();

    private void Links(bool up, params NodeId[] nodes)
    {
        foreach (var node in nodes)
            Happens(new NodeLinkChanged(Leeds, node, up, up ? "linked" : "the lease ran out", Now));
    }

    private void Happens(object happened)
    {
        _position++;
        _storage.ReadModel.Write(_position, [], projection => projection.Apply(_position, happened));
    }

    private Task<IReadOnlyList<IncidentView>> Open() => Found(open: true);

    private Task<IReadOnlyList<IncidentView>> All() => Found(open: false);

    private async Task<IReadOnlyList<IncidentView>> Found(bool open) =>
        (await new ReadModelQueries(_storage.ReadModel, _clock).Incidents(new IncidentFilter(PageRequest.First, Leeds, open))).Items;
}

public sealed class SqliteIncidentTests() : IncidentTests(StorageProvider.Sqlite);

public sealed class PostgresIncidentTests() : IncidentTests(StorageProvider.PostgreSql);
