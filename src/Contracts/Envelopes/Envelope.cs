using System.Security.Cryptography;
using Fleet.Contracts.Agents;
using Google.Protobuf;

namespace Fleet.Contracts.Envelopes;

/// <summary>Seals and opens envelopes: AES-256-GCM with the clear header as associated data and a random 96-bit nonce.</summary>
public static class Envelope
{
    /// <summary>The largest sealed envelope that any side accepts, in bytes: two fit into one link frame with room to spare.</summary>
    public const int MaxBytes = 48 * 1024;

    private const int NonceLength = 12;
    private const int TagLength = 16;
    private const int HashLength = 16;

    /// <summary>Seals <paramref name="content"/>.</summary>
    public static byte[] Seal(EnvelopeKeys keys, EnvelopeKind kind, ulong version, ulong counter, IMessage content)
    {
        var text = content.ToByteArray();
        var header = new EnvelopeHeader
        {
            DeviceId = keys.Device.Value,
            Kind = kind,
            Version = version,
            Counter = counter,
            KeyGeneration = keys.Generation,
            ContentHash = ByteString.CopyFrom(HashOf(keys, text)),
        }.ToByteArray();
        // Random, not the counter: a restored or cloned data directory repeats counters, and a GCM nonce must never repeat.
        var nonce = RandomNumberGenerator.GetBytes(NonceLength);
        var sealedText = new byte[text.Length + TagLength];
        using var cipher = new AesGcm(KeyFor(keys, kind), TagLength);
        cipher.Encrypt(nonce, text, sealedText.AsSpan(0, text.Length), sealedText.AsSpan(text.Length), header);
        return new SealedEnvelope { Header = ByteString.CopyFrom(header), Nonce = ByteString.CopyFrom(nonce), Ciphertext = ByteString.CopyFrom(sealedText) }.ToByteArray();
    }

    /// <summary>Reads the clear header alone; all that a carrier can do.</summary>
    /// <exception cref="EnvelopeException">Not an envelope, or over <see cref="MaxBytes"/>.</exception>
    public static EnvelopeHeader Header(ReadOnlySpan<byte> envelope) => Read(envelope).Header;

    private static (SealedEnvelope Parts, EnvelopeHeader Header) Read(ReadOnlySpan<byte> envelope)
    {
        if (envelope.Length > MaxBytes)
            throw new EnvelopeException($"an envelope of {envelope.Length} bytes is over the limit of {MaxBytes}");
        try
        {
            var parts = SealedEnvelope.Parser.ParseFrom(envelope);
            var header = EnvelopeHeader.Parser.ParseFrom(parts.Header);
            if (IdText.Problem(header.DeviceId) is { } problem)
                throw new EnvelopeException($"the envelope's device id is wrong: {problem}");
            return (parts, header);
        }
        catch (InvalidProtocolBufferException fault)
        {
            throw new EnvelopeException($"this is no envelope: {fault.Message}");
        }
    }

    /// <summary>Opens an envelope of the kind wanted. Replay is the caller's to judge, by the header's version and counter.</summary>
    /// <exception cref="EnvelopeException">Malformed, of another device, kind or generation, or altered on its way.</exception>
    public static (EnvelopeHeader Header, T Content) Open<T>(EnvelopeKeys keys, EnvelopeKind kind, ReadOnlySpan<byte> envelope, MessageParser<T> parser)
        where T : IMessage<T> => Open(_ => keys, kind, envelope, parser);

    /// <summary>The same where the header says which keys are to be taken.</summary>
    /// <param name="keysFor">May throw <see cref="EnvelopeException"/>.</param>
    /// <inheritdoc cref="Open{T}(EnvelopeKeys, EnvelopeKind, ReadOnlySpan{byte}, MessageParser{T})"/>
    public static (EnvelopeHeader Header, T Content) Open<T>(Func<EnvelopeHeader, EnvelopeKeys> keysFor, EnvelopeKind kind, ReadOnlySpan<byte> envelope, MessageParser<T> parser)
        where T : IMessage<T>
    {
        var (parts, header) = Read(envelope);
        var keys = keysFor(header);
        if (header.DeviceId != keys.Device.Value)
            throw new EnvelopeException($"the envelope is of {header.DeviceId}, not of {keys.Device}");
        if (header.Kind != kind)
            throw new EnvelopeException($"the envelope is a {header.Kind}, not a {kind}");
        if (header.KeyGeneration != keys.Generation)
            throw new EnvelopeException($"the envelope is of key generation {header.KeyGeneration}, not {keys.Generation}");
        if (parts.Nonce.Length != NonceLength || parts.Ciphertext.Length < TagLength)
            throw new EnvelopeException("the envelope is cut short");
        var text = new byte[parts.Ciphertext.Length - TagLength];
        try
        {
            using var cipher = new AesGcm(KeyFor(keys, kind), TagLength);
            cipher.Decrypt(parts.Nonce.Span, parts.Ciphertext.Span[..text.Length], parts.Ciphertext.Span[text.Length..], text, parts.Header.Span);
            return (header, parser.ParseFrom(text));
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new EnvelopeException("the envelope was altered on its way or sealed with another key");
        }
        catch (InvalidProtocolBufferException fault)
        {
            throw new EnvelopeException($"the envelope's content is malformed: {fault.Message}");
        }
    }

    private static byte[] KeyFor(EnvelopeKeys keys, EnvelopeKind kind) => kind == EnvelopeKind.Report ? keys.Up : keys.Down;

    private static byte[] HashOf(EnvelopeKeys keys, byte[] text) => HMACSHA256.HashData(keys.Mac, text)[..HashLength];
}

/// <summary>An envelope that can't be accepted; the message says why and is safe to log.</summary>
public sealed class EnvelopeException(string message) : Exception(message);
