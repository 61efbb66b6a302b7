using System.Text.Json;
using System.Text.Json.Serialization;
using Fleet.NatLab.Topologies;

namespace Fleet.Swarm.Scenarios;

/// <summary>What a swarm does, as data: phases one after the other, and a mix of behaviours over the offices.</summary>
/// <param name="Mix">Parts of the offices, from the first on; what they leave over is idle.</param>
public sealed record Scenario(string Name, IReadOnlyList<Phase> Phases, IReadOnlyList<Share> Mix)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.KebabCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    /// <summary>The folder of the scenarios that come with the program.</summary>
    private static string Shipped => Path.Combine(AppContext.BaseDirectory, "Scenarios");

    public static IReadOnlyList<string> ShippedNames => [.. Directory.GetFiles(Shipped, "*.json").Select(f => Path.GetFileNameWithoutExtension(f)).Order()];

    /// <summary>Reads a scenario: one that comes with the program by its name, another by its file.</summary>
    /// <exception cref="LabException">There is none, or something is wrong in it; the message says what.</exception>
    public static Scenario Load(string nameOrFile)
    {
        var file = ShippedNames.Contains(nameOrFile) ? Path.Combine(Shipped, nameOrFile + ".json") : nameOrFile;
        if (!File.Exists(file))
            throw new LabException($"there is no scenario '{nameOrFile}': name one of {string.Join(", ", ShippedNames)}, or a file");
        try
        {
            var scenario = JsonSerializer.Deserialize<Scenario>(File.ReadAllText(file), Json) ?? throw new LabException($"{file} is empty");
            return scenario.Problem is { } problem ? throw new LabException($"{file}: {problem}") : scenario;
        }
        catch (JsonException wrong)
        {
            throw new LabException($"{file}: {wrong.Message}");
        }
    }

    /// <summary>What can't be run in it; null: nothing.</summary>
    [JsonIgnore]
    public string? Problem =>
        Phases is not [{ Kind: PhaseKind.Ramp }, ..] ? "the first phase must be a ramp: it starts the offices"
        : Mix is null ? "the mix is missing; [] leaves all offices idle"
        : Mix.Any(m => m.Part is <= 0 or > 1 || m.Behaviour is null) || Mix.Sum(m => m.Part) > 1.0001 ? "each part of the mix is over 0, and all of them together at most 1"
        : Phases.FirstOrDefault(p => p.Seconds < 0 || !Enum.IsDefined(p.Kind)) is { } phase ? $"phase '{phase.Name}' has no kind (ramp, hold, storm), or a negative length"
        : null;

    /// <summary>How an office behaves, by its place among all.</summary>
    public Behaviour Of(int office, int offices)
    {
        var upTo = 0.0;
        foreach (var share in Mix)
        {
            upTo += share.Part;
            if (office < (upTo * offices) - 0.0001)
                return share.Behaviour;
        }

        return Behaviour.Idle;
    }
}

/// <param name="Seconds">How long it lasts: a ramp starts the offices over this time; a storm ends when all links are back, at the latest then.</param>
/// <param name="ChangedPercent">Of all devices, how many per cent change their state a minute, beside what their offices' behaviour says.</param>
/// <param name="CutSeconds">Storm: how long every office is without its uplink.</param>
public sealed record Phase(string Name, PhaseKind Kind, double Seconds, double ChangedPercent = 0, double CutSeconds = 0);

public enum PhaseKind
{
    /// <summary>The offices start, one after the other.</summary>
    Ramp = 1,

    /// <summary>They do what their behaviours say.</summary>
    Hold = 2,

    /// <summary>All links break at once and return.</summary>
    Storm = 3,
}

/// <param name="Part">Of all offices, 0 to 1.</param>
public sealed record Share(double Part, Behaviour Behaviour);

/// <summary>How an office and its devices behave; several traits may come together.</summary>
/// <param name="ChangedPercent">Chatty: so many per cent of its devices change their state a minute.</param>
/// <param name="FlapEvery">Flapping: seconds between two cuts of its uplink, on average; 0: never.</param>
/// <param name="FlapFor">How many seconds each lasts.</param>
/// <param name="AnswersAfter">Slow: seconds until it does what headquarters says.</param>
/// <param name="ReadsPerSecond">Slow: bytes that it reads a second at most; 0: as they come.</param>
/// <param name="NatForgets">Its translator forgets a connection after so many seconds of silence, and drops without a word what comes then; 0: never.</param>
/// <param name="RoamingPercent">So many per cent of its devices sync through another office a minute.</param>
/// <param name="ClonedDevicesPercent">Of so many per cent of its devices a second machine reports a minute.</param>
/// <param name="ClonedNode">A second process runs with its node's identity.</param>
/// <param name="Hostile">What its node sends each second beside what it should; empty: nothing.</param>
public sealed record Behaviour(
    double ChangedPercent = 0,
    double FlapEvery = 0,
    double FlapFor = 0,
    double AnswersAfter = 0,
    int ReadsPerSecond = 0,
    double NatForgets = 0,
    double RoamingPercent = 0,
    double ClonedDevicesPercent = 0,
    bool ClonedNode = false,
    IReadOnlyList<Hostility>? Hostile = null)
{
    public static Behaviour Idle { get; } = new();

    /// <summary>Its link is expected to stay up.</summary>
    public bool KeepsLink => FlapEvery == 0 && NatForgets == 0 && !ClonedNode && Hostile is not { Count: > 0 };
}

/// <summary>What a node in hostile hands may try.</summary>
public enum Hostility
{
    /// <summary>Bytes that are no frame of Akka's.</summary>
    MalformedFrames = 1,

    /// <summary>Frames of an epoch that is over.</summary>
    OldEpochs = 2,

    /// <summary>An announce that names more documents than one may.</summary>
    OversizedAnnounce = 3,

    /// <summary>Fifty Hellos at once.</summary>
    HelloFlood = 4,
}
