using Akka.Actor;
using Fleet.Messages.Company;

namespace Fleet.Headquarters.Updates;

/// <summary>Tells the company how the repository stands: at once when it changed, and again and again, so that a lost notice costs no more than one interval. Until disposed.</summary>
internal sealed class RepositoryNotices : IAsyncDisposable
{
    private readonly TenantRepository _repository;
    private readonly IActorRef _company;
    private readonly byte[] _root;
    private readonly ITimer _again;

    public RepositoryNotices(TenantRepository repository, IActorRef company, TimeSpan every, TimeProvider clock)
    {
        (_repository, _company, _root) = (repository, company, repository.FirstRoot);
        repository.Published += Tell;
        _again = clock.CreateTimer(_ => Tell(), null, TimeSpan.Zero, every);
    }

    public ValueTask DisposeAsync()
    {
        _repository.Published -= Tell;
        return _again.DisposeAsync();
    }

    private void Tell() => _company.Tell(new NoteRepository(_root, _repository.Timestamp));
}
