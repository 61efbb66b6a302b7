using System.CommandLine;
using System.Globalization;
using Fleet.Cli.Devices;
using Fleet.Contracts;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Rollouts;

/// <summary><c>fleet rollout create</c>.</summary>
internal static class RolloutCreate
{
    public static Command Make(FleetCommands commands)
    {
        var package = new Argument<string>("package") { Description = "The package's name." };
        var version = new Option<string>("--version") { Description = "Its version; it must be published.", HelpName = "VERSION", Required = true };
        var name = new Option<string?>("--name") { Description = "The rollout's name. Default: made of package and version.", HelpName = "NAME" };
        var selector = SelectorText.For("The devices that it is for at all");
        var rings = Rings();
        var soak = new Option<string?>("--soak") { Description = "How long each ring must stand well before the next: 30s, 15m, 2h, 1d, or 0. Default: 1h, and 0 where there is one ring.", HelpName = "TIME" };
        soak.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<string?>() is { } text && Seconds(text) is null)
                given.AddError($"--soak is a time such as 15m, or 0, not '{text}'");
        });
        var success = Limit("--success", "So many of a ring's devices must have the version before the next is begun. Default: 100%.", "PERCENT%", text => RingText.Share(text) is not null, "a percentage such as 95%");
        var fail = Limit("--fail", "So many of a ring's devices that fail halt it: a number, or a percentage. Default: 1.", "N|PERCENT%", text => RingText.Share(text) is not null || Number(text) is not null, "a number or a percentage such as 5%");
        var rollBack = new Option<bool>("--roll-back") { Description = "When it halts by itself, devices that have the version get the one before." };
        var parameters = LabelText.Pairs("--param", "How it is installed, such as a maintenance window; may repeat.");
        return commands.Remote("create", $"Begins a rollout: brings a published version to devices, ring by ring. Without --ring: {string.Join(", then ", RingText.Usual)}.", """
            fleet rollout create till-app --version 2.0 --ring canary:label:ring=canary --ring ten:10% --ring rest --soak 1h --fail 1 --roll-back
            fleet rollout create till-app --version 2.0 --for office=leeds,york --ring canary-office:office=leeds --ring rest --fail 5%
            """,
            async call =>
            {
                IReadOnlyList<string> given = call.Value(rings) is { Length: > 0 } some ? some : RingText.Usual;
                var (limit, share) = (call.Value(fail) is { } text ? (Number(text), RingText.Share(text)) : (null, null));
                var wanted = new NewRollout(
                    call.Value(package), call.Value(version)!, call.Value(name), SelectorText.Read(call.Value(selector) ?? [], out _),
                    [.. given.Select(r => RingText.Read(r, out _)! with
                    {
                        SuccessPercent = call.Value(success) is { } needed ? RingText.Share(needed)!.Value : 100,
                        FailCount = limit,
                        FailPercent = share,
                        SoakSeconds = call.Value(soak) is { } time ? Seconds(time) : null,
                    })],
                    call.Value(rollBack),
                    LabelText.Read(call.Value(parameters)));
                var made = await call.Client.Send(HttpMethod.Post, "rollouts", wanted, ApiJson.Default.NewRollout, ApiJson.Default.RolloutResource, call.Cancellation).ConfigureAwait(false);
                call.Display.Show(made, ApiJson.Default.RolloutResource, () => RolloutShow.Told(call, made));
            },
            package, version, name, selector, rings, soak, success, fail, rollBack, parameters);
    }

    private static Option<string[]> Rings()
    {
        var rings = new Option<string[]>("--ring") { Description = $"A ring, in order; may repeat: {RingText.Form}.", HelpName = "RING" };
        rings.Validators.Add(given =>
        {
            foreach (var token in given.Tokens)
                if (RingText.Read(token.Value, out var problem) is null)
                    given.AddError(problem);
        });
        return rings;
    }

    private static Option<string?> Limit(string option, string description, string help, Func<string, bool> fits, string form)
    {
        var limit = new Option<string?>(option) { Description = description, HelpName = help };
        limit.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<string?>() is { } text && !fits(text))
                given.AddError($"{option} is {form}, not '{text}'");
        });
        return limit;
    }

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static double? Seconds(string text) => text == "0" ? 0 : DurationText.TryParse(text, out var time) ? time.TotalSeconds : null;
}
