using System.ComponentModel.DataAnnotations;

namespace BeeFormer.Streaming.ServiceDefaults;

/// <summary>The broker of the control messages, where there are several processes. Without <see cref="Host"/> they stay in this one.</summary>
public sealed class RabbitMqOptions
{
    public const string Section = "RabbitMq";

    /// <summary>Name or address. Null: control messages go round in this process.</summary>
    public string? Host { get; init; }

    /// <summary>Default: 5671 with TLS, else 5672.</summary>
    [Range(1, 65_535)]
    public ushort? Port { get; init; }

    /// <summary>Several installations share a broker by having one each. Default <c>/</c>.</summary>
    [MinLength(1)]
    public string VirtualHost { get; init; } = "/";

    /// <summary>Needs to configure, write and read its own queues and exchanges in the virtual host. Default <c>guest</c>, whom a broker lets in from its own machine only.</summary>
    [MinLength(1)]
    public string Username { get; init; } = "guest";

    public string Password { get; init; } = "guest";

    /// <summary>Default false.</summary>
    public bool UseTls { get; init; }

    /// <summary>Certificate authority (PEM file) that the broker's certificate is checked against. Default: those of the operating system.</summary>
    public string? CaFile { get; init; }
}
