import Foundation
import Testing

@testable import Settings

@Suite struct `Settings are read` {
    private let serving = [
        "DATABASE_URL": "postgresql:///all", "DIBOAS_CURSOR_SECRET": String(repeating: "c", count: 32),
        "DIBOAS_JWT_KEYS_DIRECTORY": "/keys", "DIBOAS_MASTER_KEYS": "1:" + String(repeating: "0a", count: 32),
    ]

    @Test func `nothing set gives the defaults to a check`() throws {
        let settings = try Settings(environment: [:], for: .check)
        #expect(settings.http.host == "127.0.0.1")
        #expect(settings.http.port == 8080)
        #expect(settings.http.publicURL == "http://127.0.0.1:8080")
        #expect(settings.database.url(of: .banking) == nil)
        #expect(settings.writes.batchMax == 2_000)
        #expect(settings.runsWorker)
        #expect(!settings.providers.sandboxIsOn)
        #expect(!settings.allowsPrivateAddresses)
        #expect(settings.retention.idempotencyHours == 72)
        #expect(settings.providers.stripe.webhookSecrets.isEmpty)
    }

    @Test func `the environment goes before the file, the file before what is embedded, that before the default`()
        throws
    {
        let file = try SettingsFile(path: "/etc/diboas.env", text: "DIBOAS_HTTP_PORT=2\nDIBOAS_QUEUE_MAX=3000")
        let settings = try Settings(
            environment: ["DIBOAS_HTTP_PORT": "1"],
            file: file,
            embedded: ["DIBOAS_HTTP_PORT": "3", "DIBOAS_QUEUE_MAX": "4000", "DIBOAS_LOG_LEVEL": "debug"],
            for: .check
        )
        #expect(settings.http.port == 1)
        #expect(settings.writes.queueMax == 3_000)
        #expect(settings.logLevel == .debug)
        let sources = Dictionary(uniqueKeysWithValues: settings.describe().map { ($0.key, $0.source) })
        #expect(sources["DIBOAS_HTTP_PORT"] == "environment")
        #expect(sources["DIBOAS_QUEUE_MAX"] == "/etc/diboas.env")
        #expect(sources["DIBOAS_LOG_LEVEL"] == "embedded")
        #expect(sources["DIBOAS_HTTP_HOST"] == "default")
        #expect(sources["REDIS_URL"] == "not set")
    }

    @Test func `the master keys are a directory or a ring`() throws {
        var environment = serving
        environment["DIBOAS_MASTER_KEYS"] = nil
        environment["DIBOAS_MASTER_KEYS_DIRECTORY"] = "/master-keys"
        let settings = try Settings(environment: environment, for: .serve)
        #expect(settings.keys.masterDirectory == "/master-keys" && settings.keys.masterKeys.isEmpty)
    }

    @Test func `an empty text counts as not set`() throws {
        let settings = try Settings(
            environment: ["DIBOAS_HTTP_PORT": "", "DIBOAS_CONFIG_FILE": ""],
            embedded: ["DIBOAS_HTTP_PORT": "9"],
            for: .check
        )
        #expect(settings.http.port == 9)
    }

    @Test func `a part of the database has its own URL or the common one`() throws {
        let settings = try Settings(
            environment: ["DATABASE_URL": "postgresql:///all", "DATABASE_URL_BANKING": "postgresql:///bank"],
            for: .command
        )
        #expect(settings.database.url(of: .banking)?.reveal() == "postgresql:///bank")
        #expect(settings.database.url(of: .defi)?.reveal() == "postgresql:///all")
    }

    @Test func `with a URL for every part the common one isn't needed`() throws {
        let environment = ["PLATFORM", "BANKING", "INVESTING", "DEFI"].map {
            ("DATABASE_URL_" + $0, "postgres:///" + $0)
        }
        let settings = try Settings(environment: Dictionary(uniqueKeysWithValues: environment), for: .worker)
        #expect(settings.database.url(of: .investing)?.reveal() == "postgres:///INVESTING")
    }

    @Test func `a ring of secrets keeps its order`() throws {
        let settings = try Settings(environment: ["STRIPE_WEBHOOK_SECRETS": "whsec_new,whsec_old"], for: .check)
        #expect(settings.providers.stripe.webhookSecrets.map { $0.reveal() } == ["whsec_new", "whsec_old"])
    }

    @Test func `the public URL of an IPv6 address has brackets`() throws {
        let settings = try Settings(environment: ["DIBOAS_HTTP_HOST": "::1", "DIBOAS_HTTP_PORT": "80"], for: .check)
        #expect(settings.http.publicURL == "http://[::1]:80")
    }

    @Test func `serving is content with what it needs`() throws {
        _ = try Settings(environment: serving, for: .serve)
    }

    @Test func `a file is found by its variable`() throws {
        let path = NSTemporaryDirectory() + "settings-\(UInt64.random(in: 0 ... .max)).env"
        try Data("# ports\n\nDIBOAS_HTTP_PORT=81\n".utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let settings = try Settings(environment: ["DIBOAS_CONFIG_FILE": path], for: .check)
        #expect(settings.http.port == 81)
    }
}

@Suite struct `Settings are refused` {
    private func faults(
        _ environment: [String: String],
        file: String? = nil,
        for purpose: Settings.Purpose = .check
    ) throws -> [SettingsError.Fault] {
        let file = try file.map { try SettingsFile(path: "file", text: $0) }
        do {
            _ = try Settings(environment: environment, file: file, embedded: [:], for: purpose)
            return []
        } catch {
            return error.faults
        }
    }

    @Test(
        arguments: [
            ("DIBOAS_HTTP_PORT", "65536"), ("DIBOAS_HTTP_PORT", "-1"), ("DIBOAS_HTTP_PORT", "+1"),
            ("DIBOAS_HTTP_PORT", "8080 "), ("DIBOAS_HTTP_PORT", "٣"), ("DIBOAS_HTTP_PORT", "99999999999999999999"),
            ("DIBOAS_HTTP_HOST", "a b"), ("DIBOAS_WORKER", "yes"), ("DIBOAS_WORKER", "ON"),
            ("DIBOAS_LOG_LEVEL", "loud"), ("DIBOAS_HOME", "relative/path"), ("DATABASE_URL", "mysql://x"),
            ("DATABASE_URL", "postgresql://"), ("REDIS_URL", "localhost:6379"), ("DIBOAS_PUBLIC_URL", "https://x/"),
            ("DIBOAS_PUBLIC_URL", "ftp://x"), ("DIBOAS_CURSOR_SECRET", "short"),
            ("DIBOAS_MASTER_KEYS", "1:00"), ("DIBOAS_MASTER_KEYS", String(repeating: "0a", count: 32)),
            ("DIBOAS_MASTER_KEYS", "01:" + String(repeating: "0a", count: 32)),
            (
                "DIBOAS_MASTER_KEYS",
                "1:" + String(repeating: "0a", count: 32) + ",1:" + String(repeating: "0b", count: 32)
            ), ("STRIPE_SECRET_KEY", "with a space in it"),
            ("STRIPE_WEBHOOK_SECRETS", "whsec_one,,whsec_two"), ("STRIPE_WEBHOOK_SECRETS", "whsec_one,whsec_one"),
            ("STRIPE_WEBHOOK_SECRETS", "short"), ("RAMP_WEBHOOK_PUBLIC_KEY_FILES", "a.pem"), ("DIBOAS_BATCH_MAX", "0"),
            ("MOONPAY_WALLETS", "USDC"), ("MOONPAY_WALLETS", "USDC=usdc"), ("RAMP_WALLETS", "USDC=:0xabc"),
            ("RAMP_WALLETS", "USDC=a:0x1,USDC=b:0x2"), ("RAMP_WEBHOOK_PATH_SECRET", "short"),
            ("MOONPAY_WIDGET_URL", "buy.moonpay.com"),
        ]
    )
    func `a value that isn't as expected is refused by name`(key: String, value: String) throws {
        let faults = try faults([key: value])
        #expect(faults.map(\.key) == [key])
        guard case .invalid? = faults.first?.reason else {
            Issue.record("not refused as invalid: \(faults)")
            return
        }
    }

    private static let widgets = [
        "MOONPAY_SECRET_KEY": "sk_test_key", "MOONPAY_WEBHOOK_SECRETS": "wk_test_key",
        "MOONPAY_PUBLISHABLE_KEY": "pk_test_key", "MOONPAY_WALLETS": "USDC=usdc_polygon:0xabc,USDT=usdt:0xdef",
        "RAMP_WEBHOOK_PUBLIC_KEY_FILES": "/ramp.pem", "RAMP_WEBHOOK_PATH_SECRET": "0123456789abcdef",
        "RAMP_HOST_API_KEY": "host", "RAMP_WALLETS": "USDC=ETH_USDC:0x123",
    ]

    @Test func `a widget is its key and its wallets`() throws {
        let providers = try Settings(environment: Self.widgets, for: .check).providers
        let moonPay = try #require(providers.moonPay.widget)
        #expect((moonPay.url, moonPay.key) == ("https://buy.moonpay.com", "pk_test_key"))
        #expect(
            moonPay.wallets.map { [$0.asset, $0.name, $0.address] } == [
                ["USDC", "usdc_polygon", "0xabc"], ["USDT", "usdt", "0xdef"],
            ]
        )
        #expect(providers.ramp.widget?.url == "https://app.ramp.network")
        #expect(providers.ramp.pathSecret?.reveal() == "0123456789abcdef")
    }

    @Test(arguments: [
        ("MOONPAY_SECRET_KEY", "MOONPAY_PUBLISHABLE_KEY"), ("MOONPAY_WEBHOOK_SECRETS", "MOONPAY_PUBLISHABLE_KEY"),
        ("MOONPAY_PUBLISHABLE_KEY", "MOONPAY_WALLETS"), ("MOONPAY_WALLETS", "MOONPAY_PUBLISHABLE_KEY"),
        ("RAMP_WEBHOOK_PATH_SECRET", "RAMP_HOST_API_KEY"), ("RAMP_WEBHOOK_PUBLIC_KEY_FILES", "RAMP_HOST_API_KEY"),
        ("RAMP_HOST_API_KEY", "RAMP_WALLETS"), ("RAMP_WALLETS", "RAMP_HOST_API_KEY"),
    ])
    func `a widget without what it needs is refused by name`(missing: String, named: String) throws {
        var values = Self.widgets
        values[missing] = nil
        #expect(try faults(values).map(\.key) == [named])
    }

    @Test func `too many secrets in a ring are refused`() throws {
        let ring = (0..<9).map { "secret-\($0)-" }.joined(separator: ",")
        #expect(try faults(["MOONPAY_WEBHOOK_SECRETS": ring]).map(\.key) == ["MOONPAY_WEBHOOK_SECRETS"])
    }

    @Test(arguments: ["DIBOAS_HTTP_PROT", "diboas_http_port", "DATABASE_URL_BANKNG", "DIBOAS_"])
    func `a name of ours that no setting has is refused`(key: String) throws {
        let faults = try faults([key: "1"])
        #expect(faults == [.init(key: key, reason: .unknown, source: "environment")])
    }

    @Test func `names that aren't ours are ignored in the environment and refused in the file`() throws {
        #expect(try faults(["PATH": "/bin", "STRIPE_CLI": "1"]).isEmpty)
        #expect(try faults([:], file: "PATH=/bin") == [.init(key: "PATH", reason: .unknown, source: "file")])
    }

    @Test func `all faults come at once, in order, with their sources`() throws {
        let faults = try faults(
            ["DIBOAS_HTTP_PORT": "x", "DIBOAS_TYPO": "1"],
            file: "DIBOAS_LOG_LEVEL=loud",
            for: .serve
        )
        #expect(
            faults.map(\.key) == [
                "DIBOAS_LOG_LEVEL", "DIBOAS_HTTP_PORT", "DATABASE_URL", "DIBOAS_JWT_KEYS_DIRECTORY",
                "DIBOAS_CURSOR_SECRET", "DIBOAS_MASTER_KEYS", "DIBOAS_TYPO",
            ]
        )
        let sources = ["file", "environment"] + Array(repeating: "not set", count: 4) + ["environment"]
        #expect(faults.map(\.source) == sources)
    }

    @Test(
        arguments: [
            (["DIBOAS_QUEUE_MAX": "10"], "DIBOAS_QUEUE_MAX"),
            (
                [
                    "DIBOAS_MASTER_KEYS_DIRECTORY": "/keys",
                    "DIBOAS_MASTER_KEYS": "1:" + String(repeating: "0a", count: 32),
                ],
                "DIBOAS_MASTER_KEYS"
            ),
            (
                ["DIBOAS_DATABASE_LOCK_TIMEOUT_MS": "9", "DIBOAS_DATABASE_STATEMENT_TIMEOUT_MS": "8"],
                "DIBOAS_DATABASE_LOCK_TIMEOUT_MS"
            ),
            (["DIBOAS_SOLANA_NODES": "https://node.example"], "DIBOAS_SOLANA_NODES"),
            (["DIBOAS_SUI_NODES": "https://node.example"], "DIBOAS_SUI_NODES"),
        ]
    )
    func `settings that contradict each other are refused`(environment: [String: String], key: String) throws {
        let faults = try faults(environment)
        #expect(faults.map(\.key) == [key])
        guard case .contradiction? = faults.first?.reason else {
            Issue.record("not refused as a contradiction: \(faults)")
            return
        }
    }

    @Test func `a command needs a database`() throws {
        let faults = try faults([:], for: .command)
        #expect(
            faults == [.init(key: "DATABASE_URL", reason: .missing(purpose: "`diboas command`"), source: "not set")]
        )
    }

    @Test(
        arguments: [
            ("A=1\nB", SettingsFile.Failure.malformedLine(path: "f", line: 2)),
            ("a=1", .malformedLine(path: "f", line: 1)),
            ("export A=1", .malformedLine(path: "f", line: 1)),
            ("=1", .malformedLine(path: "f", line: 1)),
            ("A=1\n# A\nA=2", .repeatedKey(path: "f", line: 3, key: "A")),
        ]
    )
    func `a faulty line of the file is refused`(text: String, failure: SettingsFile.Failure) {
        #expect(throws: failure) { try SettingsFile(path: "f", text: text) }
    }

    @Test func `a file that isn't there is refused`() {
        #expect(throws: SettingsFile.Failure.unreadable(path: "/nowhere/at/all")) {
            try Settings(environment: ["DIBOAS_CONFIG_FILE": "/nowhere/at/all"], for: .check)
        }
    }
}

@Suite struct `Secrets stay secret` {
    private static let password = "hunter2-hunter2"

    @Test func `a secret prints as nothing else`() {
        let secret = Secret(Self.password)
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), dumped, "\([secret])", "\(Optional(secret) as Any)"] {
            #expect(!text.contains(Self.password))
        }
        #expect(secret.reveal() == Self.password)
    }

    @Test func `the description says set, never what`() throws {
        let settings = try Settings(
            environment: [
                "DATABASE_URL": "postgresql://user:\(Self.password)@host/db", "STRIPE_SECRET_KEY": Self.password,
                "STRIPE_WEBHOOK_SECRETS": Self.password,
            ],
            for: .check
        )
        var dumped = ""
        dump(settings, to: &dumped)
        #expect(!dumped.contains(Self.password))
        let lines = Dictionary(uniqueKeysWithValues: settings.describe().map { ($0.key, $0.value) })
        #expect(lines["DATABASE_URL"] == "«set»")
        #expect(lines["STRIPE_SECRET_KEY"] == "«set»")
        #expect(lines["MOONPAY_SECRET_KEY"] == "«not set»")
        #expect(lines["DIBOAS_HTTP_PORT"] == "8080")
    }

    @Test func `a refused secret isn't quoted`() {
        let error = #expect(throws: SettingsError.self) {
            try Settings(environment: ["STRIPE_SECRET_KEY": Self.password + " "], for: .check)
        }
        #expect(error.map { !"\($0)".contains(Self.password) && "\($0)".contains("STRIPE_SECRET_KEY") } == true)
    }

    @Test func `every setting says what it is for`() throws {
        let lines = try Settings(environment: [:], for: .check).describe()
        #expect(lines.count >= 30)
        for line in lines {
            #expect(line.meaning.hasSuffix("."), "\(line.key)")
            #expect(!line.expectation.isEmpty, "\(line.key)")
        }
    }
}
