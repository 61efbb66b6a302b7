using System.CommandLine;
using System.Globalization;
using Fleet.Cli.Output;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Storage;

/// <summary><c>fleet storage</c> and <c>fleet read-model</c>.</summary>
internal static class StorageCommands
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    public static Command Show(FleetCommands commands) => commands.Remote("storage", "Shows how much headquarters keeps, and how far its lists are behind the journal.", "fleet storage",
        async call => Show(call.Display, await Look(call).ConfigureAwait(false)));

    public static Command ReadModel(FleetCommands commands) => new("read-model", "The tables behind lists and console, which headquarters writes from its journal.")
    {
        commands.Remote("rebuild", "Writes the tables behind lists and console anew, while headquarters serves: lists show the old ones until the new are whole. Waits for that; if it is ended before, headquarters goes on.",
            "fleet read-model rebuild",
            async call =>
            {
                var before = await Look(call).ConfigureAwait(false);
                await call.Client.Tell("read-model/rebuild", call.Cancellation).ConfigureAwait(false);
                var said = "";
                StorageResource now;
                while ((now = await Look(call).ConfigureAwait(false)).RebuildReached is not null)
                {
                    if (Progress(now) is var progress && progress != said)
                        await call.Terminal.Error.WriteLineAsync(said = progress).ConfigureAwait(false);
                    await Task.Delay(LookEvery, call.Terminal.Clock, call.Cancellation).ConfigureAwait(false);
                }

                if (now.RebuiltAt == before.RebuiltAt)
                    throw new CommandFailure("the read model was not written anew, and stays as it was: headquarters' log says why");
                Show(call.Display, now);
            }),
    };

    private static Task<StorageResource> Look(RemoteCall call) => call.Client.Get("storage", ApiJson.Default.StorageResource, call.Cancellation);

    private static void Show(Display display, StorageResource storage) => display.Show(storage, ApiJson.Default.StorageResource, () => display.Facts(
    [
        ("storage", storage.Provider),
        ("journal", $"{Words.Size(storage.JournalBytes)}{Free(storage.JournalFreeBytes)}: {Words.Number(storage.JournalRows)} rows, {Words.Number(storage.Snapshots)} snapshots"),
        ("read model", $"{Words.Size(storage.ReadModelBytes)}{Free(storage.ReadModelFreeBytes)}, up to position {storage.Position}"),
        ("written anew", storage.RebuildReached is not null ? Progress(storage) : storage.RebuiltAt is { } at ? Words.At(at) : "never"),
    ]));

    private static string Free(long? bytes) => bytes is > 0 and var free ? $", {Words.Size(free)} of it free" : "";

    private static string Progress(StorageResource storage) => storage is { RebuildReached: { } reached, RebuildEnd: > 0 and var end }
        ? string.Create(CultureInfo.InvariantCulture, $"at position {reached} of {end} ({100 * reached / end} %)") : "beginning";
}
