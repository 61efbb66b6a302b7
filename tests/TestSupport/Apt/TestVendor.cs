using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace Fleet.TestSupport.Apt;

/// <summary>A maker's server with one suite, which can be made to lie.</summary>
public sealed class TestVendor : HttpMessageHandler
{
    public const string Url = "http://vendor.test/debian";
    public const string Suite = "dists/stable/";
    public const string Packages = Suite + "main/binary-amd64/Packages";

    private readonly ConcurrentDictionary<string, byte[]> _files = new();
    private readonly ConcurrentQueue<string> _asked = new();

    /// <summary>Paths that were asked for, in order.</summary>
    public IReadOnlyList<string> Asked => [.. _asked];

    public bool Down { get; set; }

    /// <summary>Held back until it is set.</summary>
    public TaskCompletionSource? Gate { get; set; }

    /// <summary>Answers of its own for a path.</summary>
    public ConcurrentDictionary<string, Func<HttpResponseMessage>> Instead { get; } = new();

    /// <summary>Publishes packages under a new release.</summary>
    /// <param name="detached">Whether the signature lies beside the release.</param>
    public void Publish(TestKey key, DateTimeOffset date, IReadOnlyDictionary<string, byte[]> packages, TimeSpan? validFor = null, bool byHash = true, bool detached = false, string suite = "stable")
    {
        var list = Encoding.UTF8.GetBytes(string.Concat(packages.Select(p =>
            $"Package: {p.Key.Split('_')[0].Split('/')[^1]}\nVersion: 1\nArchitecture: amd64\nFilename: {p.Key}\nSize: {p.Value.Length}\nSHA256: {Hash(p.Value)}\nDescription: made up\n more of it\n\n")));
        var indexes = new Dictionary<string, byte[]> { ["main/binary-amd64/Packages"] = list, ["main/binary-amd64/Packages.gz"] = Gzip(list), ["main/i18n/Translation-en"] = Encoding.UTF8.GetBytes($"of {date:O}") };
        foreach (var (path, content) in packages)
            _files[path] = content;
        foreach (var (path, content) in indexes)
        {
            _files[Suite + path] = content;
            if (byHash)
                _files[$"{Suite}{path[..path.LastIndexOf('/')]}/by-hash/SHA256/{Hash(content)}"] = content;
        }

        var release = Release(date, indexes, validFor, byHash, suite);
        foreach (var name in new[] { "InRelease", "Release", "Release.gpg" })
            _files.TryRemove(Suite + name, out _);
        if (detached)
            (_files[Suite + "Release"], _files[Suite + "Release.gpg"]) = (Encoding.UTF8.GetBytes(release), key.Detached(Encoding.UTF8.GetBytes(release), date));
        else
            _files[Suite + "InRelease"] = key.ClearSign(release, date);
    }

    public byte[] File(string path) => _files[path];

    public void Put(string path, byte[] content) => _files[path] = content;

    public void Remove(string path) => _files.TryRemove(path, out _);

    public static string Hash(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    public static byte[] Gzip(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            gzip.Write(content);
        return packed.ToArray();
    }

    public static string Release(DateTimeOffset date, IReadOnlyDictionary<string, byte[]> indexes, TimeSpan? validFor = null, bool byHash = true, string suite = "stable")
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"Origin: Vendor\nSuite: {suite}\nCodename: {suite}\nDate: {date:ddd, dd MMM yyyy HH:mm:ss} UTC\n");
        if (validFor is { } valid)
            text.Append(CultureInfo.InvariantCulture, $"Valid-Until: {date + valid:ddd, dd MMM yyyy HH:mm:ss} UTC\n");
        if (byHash)
            text.Append("Acquire-By-Hash: yes\n");
        text.Append("SHA256:\n");
        foreach (var (path, content) in indexes)
            text.Append(CultureInfo.InvariantCulture, $" {Hash(content)} {content.Length,8} {path}\n");
        return text.ToString();
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = Uri.UnescapeDataString(request.RequestUri!.AbsolutePath["/debian/".Length..]);
        _asked.Enqueue(path);
        if (Gate is { } gate)
            await gate.Task.WaitAsync(cancellationToken);
        if (Down)
            throw new HttpRequestException("connection refused");
        if (Instead.TryGetValue(path, out var instead))
            return instead();
        if (!_files.TryGetValue(path, out var content))
            return new HttpResponseMessage(HttpStatusCode.NotFound);
        var tag = new EntityTagHeaderValue($"\"{Hash(content)[..16]}\"");
        if (request.Headers.IfNoneMatch.Contains(tag))
            return new HttpResponseMessage(HttpStatusCode.NotModified);
        return new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(content), Headers = { ETag = tag } };
    }
}
