// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

func ours(_ names: String...) -> [Target.Dependency] { names.map { .product(name: $0, package: "diboas") } }

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "benchmarks",
    products: [
        .executable(name: "ledger-bench", targets: ["ledger-bench"]),
        .executable(name: "http-bench", targets: ["http-bench"]),
        .executable(name: "matching-replay", targets: ["matching-replay"]),
        .executable(name: "trading-bench", targets: ["trading-bench"]),
        .executable(name: "wallet-bench", targets: ["wallet-bench"]),
        .executable(name: "identity-bench", targets: ["identity-bench"]),
        .executable(name: "chain-bench", targets: ["chain-bench"]),
    ],
    dependencies: [
        .package(name: "diboas", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    ],
    targets: [
        .target(name: "Measuring", dependencies: ours("Kernel"), swiftSettings: settings),
        .target(
            name: "BenchServers",
            dependencies: [signals, logging] + ours("Kernel", "PostgreSQL", "EmbeddedServers", "Migrations"),
            swiftSettings: settings
        ),
        .executableTarget(
            name: "ledger-bench",
            dependencies: ["Measuring", "BenchServers", arguments, lifecycle, logging]
                + ours("Kernel", "PostgreSQL", "Ledger", "Messaging", "Audit", "EmbeddedServers", "Migrations")
                + ours("Redis"),
            swiftSettings: settings
        ),
        .executableTarget(
            name: "trading-bench",
            dependencies: ["Measuring", "BenchServers", arguments, lifecycle, logging]
                + ours("Kernel", "PostgreSQL", "Ledger", "Migrations", "Investing", "DomainKit", "HTTP", "Identity")
                + ours("Compliance", "DataProtection", "Fees", "OutboundHTTP", "Settings", "Streams", "Cryptography"),
            swiftSettings: settings
        ),
        .executableTarget(
            name: "http-bench",
            dependencies: ["Measuring", arguments, lifecycle, logging]
                + ours("Kernel", "PostgreSQL", "Ledger", "Migrations", "Webhooks", "DepthFeed"),
            swiftSettings: settings
        ),
        .executableTarget(
            name: "matching-replay",
            dependencies: [arguments] + ours("MatchingReplays"),
            swiftSettings: settings
        ),
        .executableTarget(
            name: "identity-bench",
            dependencies: ["Measuring", arguments, logging]
                + ours("Kernel", "PostgreSQL", "Redis", "EmbeddedServers", "Migrations")
                + ours("HTTP", "Identity", "Cryptography", "DataProtection", "ScreeningWorld"),
            swiftSettings: settings
        ),
        .executableTarget(
            name: "wallet-bench",
            dependencies: ["Measuring", arguments] + ours("Kernel", "WalletCrypto"),
            swiftSettings: settings
        ),
        .executableTarget(
            name: "chain-bench",
            dependencies: ["Measuring", "BenchServers", arguments, lifecycle, logging]
                + ours("Kernel", "PostgreSQL", "Ledger", "Migrations", "DeFi", "DomainKit", "HTTP", "Identity")
                + ours("Compliance", "DataProtection", "Fees", "OutboundHTTP", "Settings", "Streams", "Cryptography")
                + ours("WalletCrypto"),
            swiftSettings: settings
        ),
    ]
)
