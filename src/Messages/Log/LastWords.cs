using Akka.Event;

namespace Fleet.Messages.Log;

/// <summary>
/// What an actor system says before its <see cref="ActorLog"/> is there and after that has gone: to standard error, and only errors with a cause. Akka's
/// own logger for that time writes every step of a stop, whatever its level says.
/// </summary>
public sealed class LastWords : MinimalLogger
{
    protected override void Log(object message)
    {
        if (message is Error { Cause: { } cause } error && !LostAssociation.IsAllIn(error))
            Console.Error.WriteLine($"{error.LogSource}: {error.Message} ({cause.GetType().Name}: {cause.Message})");
    }
}
