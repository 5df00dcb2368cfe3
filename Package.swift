// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

func library(_ name: String, _ path: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target
{
    .target(name: name, dependencies: dependencies, path: path, exclude: exclude, swiftSettings: settings)
}

func tests(
    _ name: String,
    _ dependencies: [Target.Dependency],
    resources: [Resource] = [],
    exclude: [String] = []
) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies,
        path: "Tests/\(name)",
        exclude: exclude,
        resources: resources,
        swiftSettings: settings
    )
}

func cLibrary(_ name: String, pkgConfig: String? = nil, apt: String? = nil) -> Target {
    .systemLibrary(
        name: name,
        path: "Platform/CLibraries/\(name)",
        pkgConfig: pkgConfig,
        providers: apt.map { [.apt([$0])] }
    )
}

let httpServer: [Target.Dependency] = [
    .product(name: "HummingbirdCore", package: "hummingbird"),
    .product(name: "HummingbirdTLS", package: "hummingbird"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
    .product(name: "HTTPTypes", package: "swift-http-types"),
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
    .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
    .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
]
let webSocketClient: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOWebSocket", package: "swift-nio"),
]
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let metricsTestKit = Target.Dependency.product(name: "MetricsTestKit", package: "swift-metrics")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")
let jwt = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")

let package = Package(
    name: "diboas",
    products: [
        .executable(name: "diboas", targets: ["diboas"]),
        // What the package of benchmarks measures.
        .library(name: "Kernel", targets: ["Kernel"]),
        .library(name: "PostgreSQL", targets: ["PostgreSQL"]),
        .library(name: "Ledger", targets: ["Ledger"]),
        .library(name: "Messaging", targets: ["Messaging"]),
        .library(name: "Audit", targets: ["Audit"]),
        .library(name: "EmbeddedServers", targets: ["EmbeddedServers"]),
        .library(name: "Migrations", targets: ["Migrations"]),
        .library(name: "Redis", targets: ["Redis"]),
        .library(name: "Webhooks", targets: ["Webhooks"]),
        .library(name: "MatchingEngine", targets: ["MatchingEngine"]),
        .library(name: "Investing", targets: ["Investing"]),
        .library(name: "DomainKit", targets: ["DomainKit"]),
        .library(name: "HTTP", targets: ["HTTP"]),
        .library(name: "Identity", targets: ["Identity"]),
        .library(name: "Compliance", targets: ["Compliance"]),
        .library(name: "Fees", targets: ["Fees"]),
        .library(name: "OutboundHTTP", targets: ["OutboundHTTP"]),
        .library(name: "Settings", targets: ["Settings"]),
        .library(name: "Streams", targets: ["Streams"]),
        .library(name: "Cryptography", targets: ["Cryptography"]),
        .library(name: "DepthFeed", targets: ["DepthFeed"]),
        .library(name: "MatchingReplays", targets: ["MatchingReplays"]),
        .library(name: "WalletCrypto", targets: ["WalletCrypto"]),
        .library(name: "DeFi", targets: ["DeFi"]),
        .library(name: "DataProtection", targets: ["DataProtection"]),
        .library(name: "ScreeningWorld", targets: ["ScreeningWorld"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", exact: "1.4.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", exact: "1.7.3"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/vapor/jwt-kit", exact: "5.7.1"),
    ],
    targets: [
        cLibrary("CPostgres", pkgConfig: "libpq", apt: "libpq-dev"),
        cLibrary("CHiredis", apt: "libhiredis-dev"),
        cLibrary("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
        cLibrary("CSecp256k1", pkgConfig: "libsecp256k1", apt: "libsecp256k1-dev"),
        cLibrary("CBotan", apt: "libbotan-2-dev"),
        cLibrary("CCracklib", apt: "libcrack2-dev"),
        cLibrary("CEpoll"),
        cLibrary("CSpawn"),
        cLibrary("CThreads"),
        cLibrary("CPrefetch"),

        library("Kernel", "Platform/Kernel"),
        library("Threads", "Platform/Threads", ["CThreads"]),
        library("Settings", "Platform/Settings", [configuration]),
        library("Traces", "Platform/Traces", [tracing]),
        library(
            "Observability",
            "Platform/Observability",
            ["Kernel", "Traces", "OutboundHTTP", logging, metrics, lifecycle, tracing, deque]
        ),
        library("EmbeddedServers", "Platform/EmbeddedServers", ["CSpawn", logging]),
        library(
            "Cryptography",
            "Platform/Cryptography",
            ["Kernel", "CSecp256k1", "CBotan", "CCracklib", crypto]
        ),
        library(
            "PostgreSQL",
            "Platform/PostgreSQL",
            ["Kernel", "Threads", "CPostgres", "CEpoll", logging, metrics, lifecycle, crypto, deque]
        ),
        library("Migrations", "Platform/Migrations", ["Kernel", "PostgreSQL", logging, crypto]),
        library("Redis", "Platform/Redis", ["Kernel", "Threads", "CHiredis", logging, metrics, lifecycle]),
        library(
            "OutboundHTTP",
            "Platform/OutboundHTTP",
            ["Kernel", "Threads", "Traces", "CCurl", logging, metrics, tracing]
        ),
        library("Webhooks", "Platform/Webhooks", ["Kernel", "Cryptography"]),
        library(
            "Ledger",
            "Platform/Ledger",
            ["Kernel", "PostgreSQL", "Traces", crypto, lifecycle, metrics, logging, tracing]
        ),
        library(
            "Messaging",
            "Platform/Messaging",
            ["Kernel", "PostgreSQL", "Redis", "Traces", crypto, logging, metrics, lifecycle, tracing]
        ),
        library("Audit", "Platform/Audit", ["Kernel", "PostgreSQL", "Cryptography", crypto]),
        library("Fees", "Platform/Fees", ["Kernel", "PostgreSQL"]),
        library("Approvals", "Platform/Approvals", ["Kernel", "PostgreSQL", "Cryptography", "HTTP", "Audit"]),
        library(
            "DataProtection",
            "Platform/DataProtection",
            ["Kernel", "PostgreSQL", "Cryptography", "HTTP", "Audit", "Messaging", logging, metrics]
        ),
        library("Screening", "Platform/Screening", ["Kernel"]),
        library(
            "HTTP",
            "Platform/HTTP",
            ["Kernel", "Cryptography", "Traces", lifecycle, logging, metrics, crypto, tracing] + httpServer
        ),
        library(
            "Compliance",
            "Platform/Compliance",
            [
                "Kernel", "PostgreSQL", "Screening", "Cryptography", "Audit", "DataProtection", "HTTP", lifecycle,
                logging, metrics,
            ]
        ),
        library(
            "Streams",
            "Platform/Streams",
            ["Kernel", "HTTP", "Redis", lifecycle, logging, metrics, deque]
        ),
        library(
            "Identity",
            "Platform/Identity",
            [
                "Kernel", "PostgreSQL", "Cryptography", "HTTP", "Approvals", "Audit", "Messaging", "Compliance",
                "Traces", "DataProtection", "Redis", jwt, lifecycle, logging, metrics,
            ]
        ),
        library(
            "KYC",
            "Platform/KYC",
            [
                "Kernel", "PostgreSQL", "HTTP", "Identity", "Compliance", "DataProtection", "Messaging", "Webhooks",
                "Audit", metrics,
            ]
        ),
        library(
            "DomainKit",
            "Platform/DomainKit",
            [
                "Kernel", "PostgreSQL", "HTTP", "Ledger", "Messaging", "Fees", "Compliance", "Identity", "Audit",
                "OutboundHTTP", "Settings", "Traces", "Streams", "Redis", "DataProtection", logging, lifecycle,
            ]
        ),

        library(
            "DomainTransfers",
            "Platform/DomainTransfers",
            [
                "Kernel", "PostgreSQL", "HTTP", "Ledger", "Messaging", "Audit", "Fees", "Compliance", "Identity",
                "DomainKit", "Traces",
                logging, metrics, lifecycle,
            ]
        ),

        library(
            "Projections",
            "Platform/Projections",
            ["Kernel", "PostgreSQL", "Messaging", "HTTP", "Ledger", "DomainKit", logging, metrics, lifecycle]
        ),
        library(
            "Banking",
            "Domains/Banking",
            [
                "DomainKit", "Kernel", "PostgreSQL", "HTTP", "Ledger", "Messaging", "Fees", "Compliance", "Identity",
                "DataProtection", "Audit", "OutboundHTTP", "Settings", "Webhooks", "Cryptography", "DomainTransfers",
                logging, lifecycle,
                metrics,
                crypto, arguments,
            ]
        ),

        library("MatchingEngine", "Domains/Investing/MatchingEngine", ["CPrefetch"]),
        library("DepthFeed", "Domains/Investing/DepthFeed", ["Kernel"]),
        library(
            "Investing",
            "Domains/Investing",
            [
                "DomainKit", "DomainTransfers", "Kernel", "PostgreSQL", "HTTP", "Ledger", "Messaging", "MatchingEngine",
                "DepthFeed", "Streams", "Redis", "Audit", "Fees", "Identity", "OutboundHTTP", "Settings", crypto,
                "DataProtection", lifecycle, logging, metrics,
            ],
            exclude: ["MatchingEngine", "DepthFeed"]
        ),
        library("WalletCrypto", "Domains/DeFi/WalletCrypto", ["Kernel", "Cryptography"]),
        library(
            "DeFi",
            "Domains/DeFi",
            [
                "DomainKit", "DomainTransfers", "Kernel", "PostgreSQL", "HTTP", "Ledger", "Messaging", "WalletCrypto",
                "Audit", "Compliance", "Cryptography", "DataProtection", "Fees", "Identity", "OutboundHTTP", "Settings",
                lifecycle, logging, metrics, arguments,
            ],
            exclude: ["WalletCrypto"]
        ),
        library(
            "Composition",
            "Apps/Composition",
            [
                "Banking", "Investing", "DeFi", "Projections", "DomainKit", "Kernel", "PostgreSQL", "HTTP", "Ledger",
                "Messaging",
                "Fees", "Compliance", "Screening", "Approvals", "KYC",
                "Identity", "Audit", "DataProtection", "OutboundHTTP", "Settings", "Cryptography", "Redis",
                "Migrations",
                "Observability", "WalletCrypto",
                "EmbeddedServers", "Webhooks", "Traces", "Streams", arguments, logging, metrics, lifecycle,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]
        ),
        .executableTarget(
            name: "diboas",
            dependencies: ["Composition", arguments],
            path: "Apps/diboas",
            swiftSettings: settings
        ),

        library(
            "TestSupport",
            "Tests/TestSupport",
            ["EmbeddedServers", "PostgreSQL", "Migrations", logging] + webSocketClient
        ),
        library("Randomness", "Tests/Randomness"),
        tests("KernelTests", ["Kernel", "Randomness"]),
        tests("TracesTests", ["Traces", tracing]),
        tests("CryptographyTests", ["Cryptography", "Kernel", crypto]),
        tests("WebhooksTests", ["Randomness", "Webhooks", "Cryptography", "Kernel"], resources: [.copy("Vectors")]),
        library("WalletSigners", "Tests/WalletSigners", ["WalletCrypto", "Cryptography", "CSecp256k1", crypto]),
        tests(
            "WalletCryptoTests",
            ["Randomness", "WalletCrypto", "WalletSigners", "Cryptography", "Kernel", crypto],
            resources: [.copy("Vectors")]
        ),
        tests(
            "WalletTests",
            [
                "DeFi", "Randomness", "WalletCrypto", "WalletSigners", "Compliance", "Cryptography", "DataProtection",
                "DomainKit",
                "HTTP",
                "Identity", "Kernel", "Messaging", "PostgreSQL", "Redis", "TestSupport", logging, metrics,
            ]
        ),
        tests(
            "ChainTests",
            [
                "DeFi", "Randomness", "WalletCrypto", "WalletSigners", "Compliance", "DataProtection", "DomainKit",
                "EmbeddedServers",
                "Fees", "HTTP", "Identity", "Kernel", "Ledger", "Migrations",
                "OutboundHTTP", "PostgreSQL", "TestSupport", logging,
            ]
        ),
        tests("SettingsTests", ["Settings"]),
        tests("EmbeddedServersTests", ["EmbeddedServers", logging]),
        tests(
            "ObservabilityTests",
            [
                "Observability", "Kernel", "Traces", "HTTP", "Ledger", "Messaging", "OutboundHTTP", "PostgreSQL",
                "TestSupport", logging, metrics, lifecycle, tracing,
            ]
        ),
        tests(
            "HTTPTests",
            ["HTTP", "Kernel", "Observability", "Randomness", "TestSupport", "Traces", logging, metrics, lifecycle]
        ),
        tests(
            "RedisTests",
            [
                "Randomness", "Redis", "Kernel", "TestSupport", "Threads", logging, metrics, metricsTestKit, lifecycle,
            ]
        ),
        tests("OutboundHTTPTests", ["OutboundHTTP", "Threads", logging, metrics, metricsTestKit]),
        tests(
            "StreamsTests",
            [
                "Streams", "HTTP", "Kernel", "Redis", "TestSupport", "EmbeddedServers", logging, metrics, lifecycle,
                .product(name: "NIOCore", package: "swift-nio"),
            ]
        ),
        tests("DepthFeedTests", ["DepthFeed", "Kernel", "Randomness"]),
        tests(
            "FeesTests",
            ["Fees", "Kernel", "PostgreSQL", "EmbeddedServers", "Randomness", logging],
            resources: [.copy("Oracle")]
        ),
        tests(
            "PostgreSQLTests",
            ["PostgreSQL", "Kernel", "Randomness", "TestSupport", "EmbeddedServers", logging, lifecycle]
        ),
        tests("MigrationsTests", ["Migrations", "PostgreSQL", "TestSupport", logging]),
        tests(
            "MessagingTests",
            [
                "Messaging", "Kernel", "PostgreSQL", "Randomness", "Redis", "TestSupport", "EmbeddedServers", logging,
                lifecycle,
            ]
        ),
        tests(
            "DataProtectionTests",
            [
                "DataProtection", "Audit", "Cryptography", "HTTP", "Kernel", "Migrations", "PostgreSQL", "TestSupport",
                logging,
            ]
        ),
        tests("AuditTests", ["Audit", "Kernel", "Cryptography", "PostgreSQL", "TestSupport", crypto]),
        tests(
            "IdentityTests",
            [
                "Identity", "DataProtection", "Kernel", "PostgreSQL", "HTTP", "Cryptography", "Compliance", "Audit",
                "Messaging", "Approvals", "Randomness", "Redis", "EmbeddedServers", "TestSupport", logging, jwt, crypto,
            ]
        ),
        tests(
            "BankingProviderTests",
            [
                "Banking", "Kernel", "PostgreSQL", "HTTP", "Messaging", "OutboundHTTP", "Randomness", "Settings",
                "Webhooks",
                "Cryptography", "Compliance", "DataProtection", "DomainKit", "Fees", "Identity", "Ledger",
                "TestSupport",
                logging, metrics,
            ],
            exclude: ["FaultProxy"]
        ),
        tests(
            "ComplianceTests",
            ["Compliance", "Screening", "DataProtection", "Kernel", "PostgreSQL", "HTTP", "TestSupport", logging]
        ),
        tests(
            "KYCTests",
            [
                "KYC", "Identity", "Compliance", "DataProtection", "Randomness", "Webhooks", "Messaging", "HTTP",
                "Cryptography",
                "Kernel", "PostgreSQL", "TestSupport", logging,
            ]
        ),
        library(
            "ScreeningWorld",
            "Tests/ScreeningWorld",
            ["Compliance", "Kernel", "PostgreSQL", "Randomness", "Screening"]
        ),
        tests("ScreeningTests", ["Randomness", "Screening", "ScreeningWorld", "Kernel", "PostgreSQL", "TestSupport"]),
        tests("LedgerTests", ["Ledger", "Kernel", "PostgreSQL", "Randomness", "TestSupport"]),
        tests(
            "DomainTransfersTests",
            [
                "DomainTransfers", "Banking", "Compliance", "DomainKit", "EmbeddedServers", "Fees", "HTTP", "Identity",
                "Kernel", "Ledger", "Messaging", "Migrations", "PostgreSQL", "Randomness", "TestSupport", logging,
            ]
        ),
        tests(
            "ProjectionsTests",
            [
                "Projections", "DomainKit", "HTTP", "Kernel", "Ledger", "Messaging", "PostgreSQL", "TestSupport",
                logging, lifecycle,
            ]
        ),
        library("MatchingReplays", "Benchmarks/Sources/MatchingReplays", ["MatchingEngine", arguments]),
        tests("MatchingEngineTests", ["MatchingEngine", "MatchingReplays", "Randomness", arguments]),
        tests(
            "InvestingTests",
            [
                "Investing", "MatchingEngine", "Audit", "DataProtection", "DomainKit", "DepthFeed", "EmbeddedServers",
                "Fees", "HTTP",
                "Identity", "Kernel", "Ledger", "PostgreSQL", "Randomness", "Redis", "Streams", "TestSupport", logging,
                metrics,
            ]
        ),
        tests(
            "CompositionTests",
            [
                "Approvals", "Composition", "Compliance", "DomainKit", "Fees", "HTTP", "Kernel", "Ledger",
                "Observability", "PostgreSQL", "Redis", "TestSupport", logging, metrics,
            ]
        ),
        tests(
            "EndToEndTests",
            [
                "Kernel", "DepthFeed", "EmbeddedServers", "TestSupport", "WalletCrypto", "WalletSigners", "diboas",
                crypto, logging,
            ],
            resources: [.copy("schemathesis.toml")]
        ),
        tests("ArchitectureTests", []),
    ]
)
