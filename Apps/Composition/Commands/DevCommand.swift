import ArgumentParser
import Cryptography
import EmbeddedServers
import Foundation
import Identity
import Investing
import Logging
import Migrations
import PostgreSQL
import ServiceLifecycle
import Settings

/// `diboas dev`: everything on this machine, with servers of its own.
struct DevCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev",
        abstract: "Start embedded PostgreSQL and Redis, migrate, load demo data, and serve.",
        discussion: "DATABASE_URL and REDIS_URL point it at servers that exist instead."
    )

    static let database = "diboas"

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        var logger = Logger(label: "diboas")
        logger.logLevel = .warning
        let home = StateDirectory.standard(home: environment["DIBOAS_HOME"])
        var embedded = try DevSecrets.load(in: home)
        var stop: [@Sendable () async -> Void] = []
        if DevEnvironment.isOurs("DATABASE_URL", environment, home) {
            Console.say("starting PostgreSQL under \(home.path)")
            let server = try await EmbeddedPostgres.start(in: StateDirectory(home.path + "/postgres"), logger: logger)
            try await server.createDatabase(DevCommand.database)
            embedded["DATABASE_URL"] = server.url(database: DevCommand.database)
            stop.append { await server.stop() }
        }
        if DevEnvironment.isOurs("REDIS_URL", environment, home) {
            Console.say("starting Redis")
            let server = try await EmbeddedRedis.start(in: StateDirectory(home.path + "/redis"), logger: logger)
            embedded["REDIS_URL"] = server.url
            stop.append { await server.stop() }
        }
        if let chain = try await DevChain.start(environment, home) {
            embedded["DIBOAS_ETHEREUM_NODES"] = chain.url
            embedded["DIBOAS_ETHEREUM_DEPLOYMENT"] = chain.server.deploymentPath
            embedded["DIBOAS_ETHEREUM_CONFIRMATIONS"] = "2"
            embedded["DIBOAS_CHAIN_POLL_MILLISECONDS"] = "200"
            stop.append { await chain.server.stop() }
        }
        do {
            try await serve(embedded, home: home)
        } catch {
            for server in stop.reversed() { await server() }
            throw error
        }
        for server in stop.reversed() { await server() }
    }

    private func serve(_ embedded: [String: String], home: StateDirectory) async throws {
        let settings = try Console.settings(for: .serve, embedded: embedded)
        let logger = Console.logger(settings, quiet: true)
        let servers = Databases(settings: settings.database).servers
        for server in servers { try await Roles.apply(server, logger: logger) }
        let applied = try await MigrateCommand.migrator(settings, logger).up(servers)
        if !applied.isEmpty { Console.say("applied \(applied.count) migrations") }
        try DevEnvironment.write(embedded, to: home)
        let seed = DemoSeed(settings: settings, logger: logger) {
            Console.say(Welcome.text(port: settings.http.port, home: home))
        }
        try await ServeCommand.serve(settings, logger: logger) { [seed] + $0.demoMarkets() }
    }
}

extension Program {
    /// The markets of the demo data, with simulated traders unless they are switched off.
    fileprivate func demoMarkets() -> [any Service] {
        let investing = domains.compactMap { $0 as? InvestingDomain }
        let identity = identity
        let traders = { @Sendable in try await identity.seedDemoUsers(DemoUsers.traders) }
        return investing.map {
            $0.demoMarkets(
                traders: settings.hasDemoTraders ? traders : nil,
                seed: UInt64.random(in: 0 ... .max),
                logger: logger
            )
        }
    }
}

/// The secrets of the embedded set-up, made once and kept beside its data.
enum DevSecrets {
    static func load(in home: StateDirectory) throws -> [String: String] {
        let path = home.path + "/secrets.json"
        let directory = home.path + "/keys"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o711]
        )
        let known = FileManager.default.contents(atPath: path).flatMap {
            try? JSONDecoder().decode([String: String].self, from: $0)
        }
        let made = [
            "DIBOAS_CURSOR_SECRET": Hex.encode(RandomBytes.make(32)),
            "DIBOAS_SANDBOX_WEBHOOK_SECRETS": "whsec_" + Base64.encode(RandomBytes.make(32)),
            "DIBOAS_MAIL_DIRECTORY": home.path + "/mail", "DIBOAS_CONFIRM_ADDRESSES": "off",
            "DIBOAS_JWT_KEYS_DIRECTORY": directory, "DIBOAS_MASTER_KEYS_DIRECTORY": home.path + "/master-keys",
            "DIBOAS_AUDIT_KEYS_DIRECTORY": home.path + "/audit-keys", "DIBOAS_ALLOW_PRIVATE_ADDRESSES": "on",
            "DIBOAS_SANDBOX": "on",
        ]
        // What another version of the program knew alone is left out, what it didn't know is added.
        let all = made.merging(known?.filter { made[$0.key] != nil } ?? [:]) { $1 }
        guard all != known else { return all }
        try JSONEncoder().encode(all).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        return all
    }
}

/// A file that other commands can source to reach the same servers.
enum DevEnvironment {
    /// Whether a variable isn't set, or is what this file set when it was sourced: then the server is for us to start.
    static func isOurs(_ key: String, _ environment: [String: String], _ home: StateDirectory) -> Bool {
        guard let value = environment[key] else { return true }
        let file = FileManager.default.contents(atPath: home.path + "/environment") ?? Data()
        return String(decoding: file, as: UTF8.self).contains("export \(key)='\(value)'\n")
    }

    static func write(_ values: [String: String], to home: StateDirectory) throws {
        let lines = values.sorted { $0.key < $1.key }.map { "export \($0.key)='\($0.value)'" }
        let path = home.path + "/environment"
        try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }
}

/// What a newcomer reads when the server is up.
enum Welcome {
    static func text(port: Int, home: StateDirectory) -> String {
        """

        diBoaS serves on http://127.0.0.1:\(port)

          API documentation   http://127.0.0.1:\(port)/docs
          the main story      .build/release/diboas demo --url http://127.0.0.1:\(port)
          operators' tools    source \(home.path)/environment; .build/release/diboas --help

        Sign in as ada@example.com or bob@example.com, password "correct-horse-battery-9":

          curl -s http://127.0.0.1:\(port)/v1/auth/login -H 'Content-Type: application/json' \\
            -d '{"email":"ada@example.com","password":"correct-horse-battery-9"}'

        Ctrl-C stops everything.
        """
    }
}
