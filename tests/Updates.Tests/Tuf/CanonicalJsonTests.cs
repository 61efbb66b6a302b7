using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Fleet.Updates.Tuf;

namespace Fleet.Updates.Tests.Tuf;

public sealed class CanonicalJsonTests
{
    [Theory]
    [InlineData("""{ "b" : [ ] , "a" : { } }""", """{"a":{},"b":[]}""")]
    [InlineData("""[1, -7, true, false, null]""", """[1,-7,true,false,null]""")]
    [InlineData("""{"keys":{"B":1,"a":2,"A":3}}""", """{"keys":{"A":3,"B":1,"a":2}}""")]
    [InlineData("""["a\"b\\c\/d"]""", """["a\"b\\c/d"]""")]
    [InlineData("""["\n\t\u0000"]""", "[\"\n\t\0\"]")]
    [InlineData("""["\u00e9\ud83d\ude00"]""", "[\"é😀\"]")]
    public void Text_is_written_as_OLPC_says(string received, string canonical)
    {
        Assert.Equal(canonical, Encoding.UTF8.GetString(CanonicalJson.Of(StrictJson.Parse(Encoding.UTF8.GetBytes(received), 1000))));
    }

    // UTF-16 units would put U+1F600 (surrogates from D800 on) before U+FB01.
    [Fact]
    public void Names_are_sorted_by_code_point()
    {
        var canonical = CanonicalJson.Of(StrictJson.Parse(Encoding.UTF8.GetBytes("""{"😀":1,"ﬁ":2,"z":3}"""), 1000));

        Assert.Equal("""{"z":3,"ﬁ":2,"😀":1}""", Encoding.UTF8.GetString(canonical));
    }

    [Fact]
    public void The_form_does_not_depend_on_order_and_white_space_and_loses_nothing()
    {
        var random = new Random(20260601);
        for (var round = 0; round < 300; round++)
        {
            var value = Value(random, depth: 4);
            var shuffled = Shuffled(value, random);

            var canonical = Canonical(value);

            Assert.Equal(canonical, Canonical(shuffled, indented: true));
            // Canonical JSON is JSON as long as no control character stands in it, and Value makes none.
            Assert.True(JsonNode.DeepEquals(value, JsonNode.Parse(canonical)));
            Assert.Equal(canonical, Canonical(JsonNode.Parse(canonical)));
        }
    }

    private static string Canonical(JsonNode? value, bool indented = false)
    {
        var text = value?.ToJsonString(new JsonSerializerOptions { WriteIndented = indented }) ?? "null";
        return Encoding.UTF8.GetString(CanonicalJson.Of(StrictJson.Parse(Encoding.UTF8.GetBytes(text), 1_000_000)));
    }

    private static JsonNode? Value(Random random, int depth) => random.Next(depth == 0 ? 4 : 6) switch
    {
        0 => null,
        1 => random.NextInt64(long.MinValue, long.MaxValue),
        2 => random.Next(2) == 0,
        3 => Text(random),
        4 => new JsonArray([.. Enumerable.Range(0, random.Next(5)).Select(_ => Value(random, depth - 1))]),
        _ => new JsonObject(Enumerable.Range(0, random.Next(5)).Select(i => KeyValuePair.Create($"{Text(random)}{i}", Value(random, depth - 1)))),
    };

    private static string Text(Random random) =>
        string.Concat(random.GetItems(new[] { "a", "B", "\"", "\\", "/", "é", "ﬁ", "😀", " ", "{" }, random.Next(6)));

    private static JsonNode? Shuffled(JsonNode? value, Random random)
    {
        switch (value)
        {
            case JsonObject members:
                var order = members.ToArray();
                random.Shuffle(order);
                return new JsonObject(order.Select(m => KeyValuePair.Create(m.Key, Shuffled(m.Value, random))));
            case JsonArray items:
                return new JsonArray([.. items.Select(i => Shuffled(i, random))]);
            default:
                return value?.DeepClone();
        }
    }
}
