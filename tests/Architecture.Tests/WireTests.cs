using System.Reflection;
using Fleet.Messages.Serialization;
using MessagePack;

namespace Fleet.Architecture.Tests;

/// <summary>What crosses a process or lies in a journal: the table is whole, and every change to a message is a deliberate one.</summary>
public sealed class WireTests
{
    private const string Golden = "tests/Architecture.Tests/wire.golden.txt";

    [Fact]
    public void Every_message_and_event_has_a_manifest_or_is_part_of_one_that_has()
    {
        var missing = Marked().Where(t => !t.IsInterface && !Manifests.Of.ContainsKey(t) && !Reachable().Contains(t)).Select(t => t.FullName);

        Assert.Empty(missing);
    }

    [Fact]
    public void Field_numbers_run_from_zero_without_gaps_or_doubles()
    {
        var wrong = Marked().Where(t => !t.IsInterface).Where(t => !Fields(t).Select(f => f.Number).SequenceEqual(Enumerable.Range(0, Fields(t).Count))).Select(t => t.Name);

        Assert.Empty(wrong);
    }

    [Fact]
    public void The_wire_is_as_the_golden_file_says()
    {
        var now = Describe();

        var expected = File.Exists(Repository.PathOf(Golden)) ? File.ReadAllText(Repository.PathOf(Golden)).ReplaceLineEndings("\n") : "";
        if (Environment.GetEnvironmentVariable("FLEET_ACCEPT_WIRE") == "1")
            File.WriteAllText(Repository.PathOf(Golden), now);
        else
            Assert.True(expected == now, $"The wire changed. Fields may only be added at the end, and manifests only added. If it is meant, note it in docs/protocol.md and run "
                + $"this test once with FLEET_ACCEPT_WIRE=1. First difference:\n{FirstDifference(expected, now)}");
    }

    private static string Describe()
    {
        var messages = Manifests.All.OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => $"{m.Key} = {Line(m.Value)}");
        var parts = Reachable().Where(t => !Manifests.Of.ContainsKey(t)).OrderBy(t => t.Name, StringComparer.Ordinal).Select(t => $"part {Line(t)}");
        return string.Join('\n', messages.Concat(parts)) + "\n";
    }

    private static string Line(Type type) => type.IsInterface
        ? $"{type.Name}[{string.Join(" | ", type.GetCustomAttributes<UnionAttribute>().OrderBy(u => u.Key).Select(u => $"{u.Key} {u.SubType.Name}"))}]"
        : type.IsEnum
            ? $"{type.Name}{{{string.Join(", ", Enum.GetNames(type).Select(n => $"{n}={Convert.ToInt64(Enum.Parse(type, n), System.Globalization.CultureInfo.InvariantCulture)}"))}}}"
            : $"{type.Name}({string.Join(", ", Fields(type).Select(f => $"{f.Number} {f.Name}:{Text(f.Type)}"))})";

    private static List<(int Number, string Name, Type Type)> Fields(Type type) =>
        [.. type.GetProperties().Select(p => (Key: p.GetCustomAttribute<KeyAttribute>(), p)).Where(p => p.Key is not null).Select(p => (p.Key!.IntKey!.Value, p.p.Name, p.p.PropertyType)).OrderBy(f => f.Value)];

    /// <summary>All Fleet types inside the messages.</summary>
    private static HashSet<Type> Reachable()
    {
        var found = new HashSet<Type>();
        var open = new Queue<Type>(Manifests.All.Values);
        while (open.TryDequeue(out var type))
            foreach (var next in Fields(type).SelectMany(f => Inside(f.Type)).Concat(type.GetCustomAttributes<UnionAttribute>().Select(u => u.SubType)))
                if (next.Assembly.GetName().Name!.StartsWith("Fleet.", StringComparison.Ordinal) && found.Add(next))
                    open.Enqueue(next);
        return found;
    }

    private static IEnumerable<Type> Inside(Type type) => type.IsGenericType ? type.GetGenericArguments().SelectMany(Inside).Append(type) : [type];

    private static IEnumerable<Type> Marked() => typeof(Manifests).Assembly.GetTypes().Where(t => t.GetCustomAttribute<MessagePackObjectAttribute>() is not null);

    private static string Text(Type type) => type.IsGenericType
        ? $"{type.Name[..type.Name.IndexOf('`')]}<{string.Join(", ", type.GetGenericArguments().Select(Text))}>"
        : type.Name;

    private static string FirstDifference(string expected, string now)
    {
        var pairs = expected.Split('\n').Zip(now.Split('\n')).FirstOrDefault(p => p.First != p.Second);
        return pairs == default ? "one is longer than the other" : $"- {pairs.First}\n+ {pairs.Second}";
    }
}
