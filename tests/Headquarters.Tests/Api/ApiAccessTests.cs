using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Akka.Actor;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Contracts.Identity;
using Fleet.Contracts.Storage;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Tests.Web;

namespace Fleet.Headquarters.Tests.Api;

public sealed class ApiAccessTests(TestFaces faces) : IClassFixture<TestFaces>
{
    [Fact]
    public async Task Every_call_needs_the_administrators_token()
    {
        using var stranger = TestFaces.Client(faces.Address, bearer: null);
        using var impostor = TestFaces.Client(faces.Address, AdminToken.Create(faces.Token.CaPin).Bearer);

        foreach (var client in (HttpClient[])[stranger, impostor])
            foreach (var path in await Paths())
            {
                using var response = await client.GetAsync(path.Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal));
                Assert.True(response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.MethodNotAllowed, $"{path} answered {response.StatusCode}");
            }
    }

    [Fact]
    public async Task The_document_describes_every_operation_in_a_sentence()
    {
        using var document = JsonDocument.Parse(await faces.Api.GetStringAsync("/openapi/v1.json"));

        var operations = document.RootElement.GetProperty("paths").EnumerateObject().SelectMany(p => p.Value.EnumerateObject().Select(o => (p.Name, Verb: o.Name, o.Value))).ToList();
        Assert.True(operations.Count >= 25, $"only {operations.Count} operations");
        Assert.All(operations, o => Assert.True(o.Value.TryGetProperty("summary", out _), $"{o.Verb} {o.Name} has no summary"));
        Assert.All(operations, o => Assert.StartsWith("/api/v1/", o.Name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_document_names_every_operation_and_says_how_it_is_refused()
    {
        using var document = JsonDocument.Parse(await faces.Api.GetStringAsync("/openapi/v1.json"));

        var operations = document.RootElement.GetProperty("paths").EnumerateObject().SelectMany(p => p.Value.EnumerateObject()).Select(o => o.Value).ToList();
        var names = operations.Select(o => o.GetProperty("operationId").GetString()!).ToList();
        Assert.Equal(names.Distinct().Order(), names.Order());
        Assert.All(operations, o => Assert.Equal("#/components/schemas/ProblemResource",
            o.GetProperty("responses").GetProperty("default").GetProperty("content").GetProperty("application/problem+json").GetProperty("schema").GetProperty("$ref").GetString()));
    }

    [Fact]
    public async Task What_may_be_absent_is_not_required_by_the_document()
    {
        using var document = JsonDocument.Parse(await faces.Api.GetStringAsync("/openapi/v1.json"));

        var schemas = document.RootElement.GetProperty("components").GetProperty("schemas");
        var required = schemas.GetProperty("DeviceDetailResource").GetProperty("required").EnumerateArray().Select(r => r.GetString()).ToList();
        Assert.Contains("enrolledAt", required);
        Assert.DoesNotContain("delaySeconds", required);
        Assert.DoesNotContain("inventory", required);
        Assert.Equal("integer", schemas.GetProperty("StatusResource").GetProperty("properties").GetProperty("offices").GetProperty("type").GetString());
    }

    [Fact]
    public async Task Malformed_JSON_is_a_bad_request_and_says_where()
    {
        using var response = await faces.Api.PostAsync("/api/v1/offices", new StringContent("{\"id\": ", Encoding.UTF8, "application/json"));

        var problem = await TestFaces.Problem(response);
        Assert.Equal(HttpStatusCode.BadRequest, problem.Status);
        Assert.Contains("JSON", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_owner_that_does_not_answer_is_told_as_busy()
    {
        var credentials = Credentials(out var directory);
        using var _ = directory;
        var mute = faces.Company.System.ActorOf(Props.Create(() => new Mute()));
        await using var face = await TestFaces.Start(faces.Company, mute, faces.Updates, faces.Vendors, credentials, directory.PathOf("keys"), askTimeout: TimeSpan.FromMilliseconds(200));
        using var client = TestFaces.Client(new Uri($"https://127.0.0.1:{face.Local.Port}"), Bearer(directory));

        using var response = await client.PostAsJsonAsync("/api/v1/offices", new NewOffice("late"), ApiJson.Default.NewOffice);

        var problem = await TestFaces.Problem(response);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, nameof(RefusalCode.Busy)), (problem.Status, problem.Code));
    }

    [Fact]
    public async Task The_event_stream_tells_what_happened_and_then_what_happens()
    {
        await faces.AddOffice("stream-1");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/events?after=0");
        using var response = await faces.Api.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        var before = await Next(lines, "stream-1");
        await faces.AddOffice("stream-2");
        var after = await Next(lines, "stream-2");

        Assert.Equal(("opened", "opened"), (before.Kind, after.Kind));
        Assert.True(after.Position > before.Position);
    }

    private static async Task<EventResource> Next(StreamReader lines, string subject)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (await lines.ReadLineAsync(timeout.Token) is { } line)
        {
            if (line.StartsWith("data: {\"position\"", StringComparison.Ordinal)
                && JsonSerializer.Deserialize(line["data: ".Length..], ApiJson.Default.EventResource) is { } e && e.Subject == subject)
                return e;
        }

        throw new InvalidOperationException($"the stream ended before it told of {subject}");
    }

    private async Task<IReadOnlyList<string>> Paths()
    {
        using var document = JsonDocument.Parse(await faces.Api.GetStringAsync("/openapi/v1.json"));
        return [.. document.RootElement.GetProperty("paths").EnumerateObject().Select(p => p.Name)];
    }

    private AdminCredentials Credentials(out DataDirectory directory)
    {
        directory = DataDirectory.Open(Directory.CreateTempSubdirectory("fleet-api-").FullName, "headquarters");
        return AdminCredentials.OpenOrCreate(directory, PeerTrust.PinOf(faces.Company.Authority.Authority));
    }

    private static string Bearer(DataDirectory directory) =>
        AdminToken.TryParse(File.ReadAllText(directory.PathOf(AdminCredentials.TokenFile)), out var token, out var problem) ? token.Bearer : throw new InvalidOperationException(problem);

    private sealed class Mute : UntypedActor
    {
        protected override void OnReceive(object message)
        {
        }
    }
}
