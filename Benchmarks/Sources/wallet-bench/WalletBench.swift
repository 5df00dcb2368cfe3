import ArgumentParser
import Foundation
import Kernel
import Measuring
import WalletCrypto

/// Measures what wallets cost: signatures of four chains, addresses below an extended key, and the screen that every
/// request passes.
@main
struct WalletBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wallet-bench",
        abstract: "Measure signature checks, derivation of addresses, and the search for private material."
    )

    @Option(help: "Directory with the vectors of WalletCryptoTests.")
    var vectors = "../Tests/WalletCryptoTests/Vectors"

    @Option(help: "Seconds of each measurement.")
    var seconds = 3.0

    @Option(help: "Threads that check signatures at once.")
    var threads = 2

    @Option(help: "File for the report in JSON.")
    var json: String?

    func run() async throws {
        let checks = try SignatureCheck.read(directory: vectors)
        var report = Report(about: [])
        for chain in Chain.allCases {
            let own = checks.filter { $0.chain == chain }
            report.add(try alone(own, of: chain))
        }
        report.add(
            BenchmarkRow(
                "signature checks of all chains in turns",
                unit: .perSecond,
                figure: await throughput(checks),
                clients: threads
            )
        )
        for row in try derivations() { report.add(row) }
        for (name, text) in [
            ("a payment of 200 bytes", Self.payment), ("a note of 4,000 bytes", Self.note),
            ("64 KiB of words", String(repeating: Self.note, count: 16)),
        ] {
            report.add(
                BenchmarkRow(
                    "search for private material in \(name)",
                    unit: .milliseconds,
                    figure: screening(text),
                    clients: 1
                )
            )
        }
        if let json { try report.write(to: json) }
    }

    private func alone(_ checks: [SignatureCheck], of chain: Chain) throws -> BenchmarkRow {
        let start = ContinuousClock.now
        let latencies = latencies(checks)
        return BenchmarkRow(
            "signature checks of \(chain.rawValue)",
            unit: .perSecond,
            figure: Double(latencies.count) / (ContinuousClock.now - start).inSeconds,
            clients: 1,
            p50: latencies.percentile(0.5),
            p99: latencies.percentile(0.99),
            note: "\(checks.count) signatures in turns"
        )
    }

    private func latencies(_ checks: [SignatureCheck]) -> Latencies {
        var milliseconds: [Double] = []
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        while clock.now < end {
            for check in checks {
                let start = clock.now
                check.run()
                milliseconds.append((clock.now - start).inSeconds * 1000)
            }
        }
        return Latencies(milliseconds: milliseconds)
    }

    private func throughput(_ checks: [SignatureCheck]) async -> Double {
        // As many of each chain, in turns.
        let byChain = Chain.allCases.map { chain in checks.filter { $0.chain == chain } }
        let rounds = byChain.map(\.count).max() ?? 0
        let mixed = (0..<rounds).flatMap { round in byChain.map { $0[round % $0.count] } }
        let clock = ContinuousClock()
        let start = clock.now
        let end = start + .seconds(seconds)
        let done = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<threads {
                group.addTask {
                    var done = 0
                    while clock.now < end {
                        for check in mixed { check.run() }
                        done += mixed.count
                    }
                    return done
                }
            }
            return await group.reduce(0, +)
        }
        return Double(done) / (clock.now - start).inSeconds
    }

    private func derivations() throws -> [BenchmarkRow] {
        let key = try ExtendedPublicKey(Self.extendedKey)
        let clock = ContinuousClock()
        return try [BitcoinScript.SingleKey.p2wpkh, .p2tr].map { form in
            let text = form == .p2tr ? Self.plainKey : key.text
            let account = try WatchOnlyAccount(try ExtendedPublicKey(text), form: form, network: .mainnet)
            let start = clock.now
            let addresses = try account.addresses(.receiving, 0..<10_000)
            return BenchmarkRow(
                "\(addresses.count) addresses below an extended key (\(form.rawValue))",
                unit: .milliseconds,
                figure: (clock.now - start).inSeconds * 1000,
                clients: 1
            )
        }
    }

    /// Milliseconds of one search.
    private func screening(_ text: String) -> Double {
        let json: JSON = ["note": .string(text)]
        let clock = ContinuousClock()
        let (start, end) = (clock.now, clock.now + .seconds(seconds / 3))
        var done = 0
        while clock.now < end {
            for _ in 0..<20 { precondition(PrivateMaterial.find(in: json) == nil) }
            done += 20
        }
        return (clock.now - start).inSeconds * 1000 / Double(done)
    }

    // BIP-84's and BIP-32's public test vectors.
    private static let extendedKey =
        "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868"
        + "RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
    private static let plainKey =
        "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8Y"
        + "tGqsefD265TMg7usUDFdp6W1EGMcet8"

    private static let payment = """
        to @bob 20.00 USD for dinner on Friday with order \
        0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060 \
        from account bac_01jd3qkw5hf6r8v2m4x7c9tb0e, see you again next week then
        """
    private static let note = String(
        repeating: "this is what you have to know about the new kitchen and the old table, before winter comes. ",
        count: 42
    )
}

/// A signature that holds, with what it was made over.
struct SignatureCheck: Sendable {
    let chain: Chain
    let message: String
    let signature: String
    let address: String

    func run() { precondition(holds, "a signature that held doesn't any more") }

    private var holds: Bool {
        WalletProof.verify(message: message, signature: signature, address: address, chain: chain).isValid
    }

    /// The vectors of a directory whose signatures hold, but for those that were made over a text in another frame.
    static func read(directory: String) throws -> [SignatureCheck] {
        let kinds: [(file: String, kind: String, chain: Chain)] = [
            ("bitcoin", "btc_message_verify", .bitcoin), ("ethereum", "eth_personal_verify", .ethereum),
            ("solana", "sol_message_verify", .solana), ("sui", "sui_message_verify", .sui),
        ]
        return try kinds.flatMap { file, kind, chain in
            let data = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(file).json"))
            let vectors = try JSON.parse(Array(data), limits: JSON.Limits(bytesMax: 1 << 20)).elements ?? []
            return vectors.compactMap { vector -> SignatureCheck? in
                guard vector["kind"]?.stringValue == kind, vector["expected"]?["valid"] == true,
                    let message = vector["input"]?["message"]?.stringValue,
                    let signature = vector["input"]?["signature"]?.stringValue,
                    let address = vector["input"]?["address"]?.stringValue
                else { return nil }
                let check = SignatureCheck(chain: chain, message: message, signature: signature, address: address)
                return check.holds ? check : nil
            }
        }
    }
}
