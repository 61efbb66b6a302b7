using Akka.Actor;
using Fleet.Contracts;
using Fleet.Messages.Company;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Api;

/// <summary>Asks those who own the truth: the company and the office twins. A yes means that the journal has it.</summary>
/// <param name="company">Takes <see cref="ICompanyCommand"/>.</param>
/// <param name="offices">The shard region of the office twins.</param>
public sealed class Owners(IActorRef company, IActorRef offices, TimeSpan timeout)
{
    /// <summary>Who asks, in the journal.</summary>
    public const string Administrator = "administrator";

    public Task<Answer> Ask(ICompanyCommand command) => Ask(company, command);

    public Task<Answer> Ask(IOfficeCommand command) => Ask(offices, command);

    private async Task<Answer> Ask(IActorRef owner, object command)
    {
        try
        {
            return await owner.Ask<object>(command, timeout) switch
            {
                CompanyRefused refused => new Answer(null, new Refusal(refused.Code, refused.Detail)),
                OfficeRefused refused => new Answer(null, new Refusal(refused.Code, refused.Detail)),
                var reply => new Answer(reply, null),
            };
        }
        catch (AskTimeoutException)
        {
            return new Answer(null, new Refusal(RefusalCode.Busy, $"headquarters did not decide within {timeout.TotalSeconds:0} s, as when its database is away; whether it was done shows in a moment, or try again"));
        }
    }
}

/// <summary>The owner's answer: a reply, or why not.</summary>
public readonly record struct Answer(object? Reply, Refusal? Refusal);

/// <summary>Why not.</summary>
public sealed record Refusal(RefusalCode Code, string Detail)
{
    public static Refusal NotFound(string kind, string id) => new(RefusalCode.NotFound, $"there is no {kind} '{id}'");

    public static Refusal Invalid(string detail) => new(RefusalCode.Invalid, detail);
}
