namespace Fleet.Contracts;

/// <summary>What text may name something in Fleet: lower-case letters, digits, '-' (and '.' where an id has parts).</summary>
public static class IdText
{
    /// <summary>The longest id part: one DNS label (RFC 1035, 2.3.4), because ids become host names in certificates.</summary>
    public const int MaxLength = 63;

    /// <summary>Returns <paramref name="value"/> if it is a safe id of exactly <paramref name="parts"/> dot-separated labels.</summary>
    /// <exception cref="ArgumentException">Blank, over-long or unsafe text; the message says which.</exception>
    public static string Checked(string? value, int parts = 1) =>
        Problem(value, parts) is { } problem ? throw new ArgumentException(problem) : value!;

    /// <summary>Says what is wrong with <paramref name="value"/> as an id, or null if nothing is.</summary>
    public static string? Problem(string? value, int parts = 1)
    {
        if (string.IsNullOrEmpty(value))
            return "a name is missing";
        var labels = value.Split('.');
        if (labels.Length != parts)
            return parts == 1 ? $"'{Shown(value)}' has a dot; use letters, digits and '-'" : $"'{Shown(value)}' is not of the form name.office";
        foreach (var label in labels)
        {
            if (label.Length is 0 or > MaxLength)
                return $"'{Shown(value)}' is empty in one part or longer than {MaxLength} characters";
            if (label[0] == '-' || label[^1] == '-')
                return $"'{Shown(value)}' begins or ends with '-'";
            foreach (var c in label)
                if (c is not (>= 'a' and <= 'z') and not (>= '0' and <= '9') and not '-')
                    return $"'{Shown(value)}' has a character other than a-z, 0-9 and '-'";
        }

        return null;
    }

    private static string Shown(string value) => value.Length <= 80 ? value : value[..80] + "…";
}

/// <summary>Names one office.</summary>
public readonly record struct OfficeId(string Value)
{
    public string Value { get; } = IdText.Checked(Value);

    public override string ToString() => Value;
}

/// <summary>Names one office node for life, as <c>node.office</c>; with <c>.office</c> behind it, it is the node's logical host name.</summary>
public readonly record struct NodeId(string Value)
{
    public string Value { get; } = IdText.Checked(Value, parts: 2);

    /// <summary>The office the node belongs to: the part behind the dot.</summary>
    public OfficeId Office => new(Value[(Value.IndexOf('.') + 1)..]);

    public static NodeId Of(string name, OfficeId office) => new($"{name}.{office}");

    public override string ToString() => Value;
}

/// <summary>Names one device for life; survives re-imaging and moves between offices. Minted by headquarters at enrolment.</summary>
public readonly record struct DeviceId(string Value)
{
    public string Value { get; } = IdText.Checked(Value);

    public override string ToString() => Value;
}

/// <summary>Names one join token; not secret.</summary>
public readonly record struct TokenId(string Value)
{
    public string Value { get; } = IdText.Checked(Value);

    public override string ToString() => Value;
}

/// <summary>Names one policy.</summary>
public readonly record struct PolicyName(string Value)
{
    public string Value { get; } = IdText.Checked(Value);

    public override string ToString() => Value;
}

/// <summary>Names one setting up of an agent on a discovered device.</summary>
public readonly record struct InstallId(string Value)
{
    public string Value { get; } = IdText.Checked(Value);

    public override string ToString() => Value;
}

/// <summary>Names one placement rule.</summary>
public readonly record struct RuleName(string Value)
{
    public string Value { get; } = IdText.Checked(Value);

    public override string ToString() => Value;
}

/// <summary>Names one rollout.</summary>
public readonly record struct RolloutName(string Value)
{
    public string Value { get; } = IdText.Checked(Value);

    public override string ToString() => Value;
}

/// <summary>Names one network poll of an office.</summary>
public readonly record struct PollId(string Value)
{
    public string Value { get; } = IdText.Checked(Value);

    public override string ToString() => Value;
}

/// <summary>Names a device that a poll saw and that has no agent; an agent that joins on it gets a <see cref="DeviceId"/>.</summary>
public readonly record struct DiscoveredId(string Value)
{
    public string Value { get; } = IdText.Checked(Value);

    public override string ToString() => Value;
}
