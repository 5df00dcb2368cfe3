import Kernel
import Measuring
import PostgreSQL
import WalletCrypto

extension Follower {
    /// Transfers of tokens in a measured block, and as many of coins; each second one to a wallet that is followed.
    private static let transfers = 25
    private static let patienceSeconds = 300.0
    private static let pauseMilliseconds = 2

    /// Something that didn't come about.
    struct Missing: Error, Sendable {
        let what: String
    }

    /// The rows of the report.
    func measured(wallets: Int, rounds: Int, exits: Int) async throws -> [BenchmarkRow] {
        try await follow(wallets: wallets)
        let (first, second) = (Self.stranger(0), Self.stranger(1))
        try await provide(first)
        try await provide(second)
        return try await following {
            let own = try await strategies(1, of: first, stopLoss: nil)[0]
            try await settle(own)
            let followed = try await blocks(rounds, wallets: wallets, own)
            let limited = try await strategies(exits, of: second, stopLoss: 50_000_000)
            try await settle(limited[limited.count - 1])
            return [followed, try await broken(exits)]
        }
    }

    /// Mines a block and waits until a strategy is valued in it.
    private func settle(_ position: Position) async throws {
        try await chain.mine()
        try await wait(for: position, at: try await chain.head())
    }

    private func wait(for position: Position, at number: Int64) async throws {
        try await wait("a value in block \(number)") {
            let rows = try await pool.query(
                "select 1 from defi.strategies where id = \(position.strategy) and valued_number >= \(number)"
            )
            return !rows.isEmpty
        }
    }

    private func wait(_ what: String, until isSo: () async throws -> Bool) async throws {
        let start = ContinuousClock.now
        while try await !isSo() {
            guard (ContinuousClock.now - start).inSeconds < Self.patienceSeconds else { throw Missing(what: what) }
            try await Task.sleep(for: .milliseconds(Self.pauseMilliseconds))
        }
    }

    // MARK: Blocks

    private func blocks(_ rounds: Int, wallets: Int, _ own: Position) async throws -> BenchmarkRow {
        try await chain.call("evm_setAutomine", false)
        var (times, calls): ([Double], [String: Int]) = ([], [:])
        for round in 0..<rounds {
            try await fill(round)
            let before = try await chain.stats()
            try await chain.mine()
            let start = ContinuousClock.now
            try await wait(for: own, at: try await chain.head())
            times.append((ContinuousClock.now - start).inSeconds * 1_000)
            for (method, count) in try await chain.stats() {
                calls[method, default: 0] += count - before[method, default: 0]
            }
        }
        let latencies = Latencies(milliseconds: times)
        let told = [
            "eth_getLogs", "eth_getBlockByNumber.full", "eth_getTransactionReceipt", "eth_getBalance", "eth_call",
        ]
        let perBlock = told.map { method in
            let tenths = (calls[method, default: 0] * 10 + rounds / 2) / rounds
            return "\(method) \(tenths / 10).\(tenths % 10)"
        }
        return BenchmarkRow(
            "block of \(2 * Self.transfers + 1) to the updated position, \(wallets) wallets",
            unit: .milliseconds,
            figure: latencies.percentile(0.5) ?? 0,
            clients: 1,
            p50: latencies.percentile(0.5),
            p99: latencies.percentile(0.99),
            note: "goal 2,000 ms; calls of the node for a block: " + perBlock.joined(separator: ", ")
        )
    }

    /// What the next block has: transfers of tokens and of coins, and something that touches the position.
    private func fill(_ round: Int) async throws {
        let (usdc, vault) = (try chain.contract("USDC"), try chain.contract("ERC4626Vault"))
        for place in 0..<Self.transfers {
            let followed = Self.stranger(2 + (round * Self.transfers + place) % 900)
            let other = Self.stranger(10_000_000 + place)
            let to = ABIValue.address(place.isMultiple(of: 2) ? followed : other)
            try await chain.send("transfer(address,uint256)", [to, .uint(BigUInt(1_000))], to: usdc, gas: 80_000)
            try await chain.pay(place.isMultiple(of: 2) ? other : followed, wei: 1)
        }
        let deposit: [ABIValue] = [.uint(BigUInt(1_000_000)), .address(Self.stranger(0))]
        try await chain.send("deposit(uint256,address)", deposit, to: vault)
    }

    // MARK: Exits

    private func broken(_ count: Int) async throws -> BenchmarkRow {
        let vault = try chain.contract("ERC4626Vault")
        let assets = BigUInt(2) * BigUInt(UInt64(Self.principal))
        // A tenth of all that is in it: more than the limits allow.
        try await chain.send(
            "reportLoss(uint256)",
            [.uint(assets.dividedRoundingUp(by: BigUInt(10)))],
            to: vault
        )
        let before = try await chain.stats()
        try await chain.mine()
        let start = ContinuousClock.now
        var (told, times): (Int, [Double]) = (0, [])
        try await wait("\(count) alerts") {
            let alerts: Int = try await pool.query(
                """
                select count(*) from defi.decisions d
                join defi.intents i on i.id = d.intent and i.state = 'built'
                where d.kind = 'stop_loss' and d.outcome = 'exit_built'
                """
            )[0][0]
            let passed = (ContinuousClock.now - start).inSeconds * 1_000
            times += [Double](repeating: passed, count: alerts - told)
            told = alerts
            return alerts >= count
        }
        var spent = try await chain.stats()
        for (name, count) in before { spent[name, default: 0] -= count }
        let busy = spent.removeValue(forKey: "busy") ?? 0
        let calls = spent.filter { $0.key.hasPrefix("eth_") }.values.reduce(0, +)
        let latencies = Latencies(milliseconds: times)
        return BenchmarkRow(
            "\(count) limits broken by a block to their ready exits and alerts",
            unit: .milliseconds,
            figure: times.last ?? 0,
            clients: 1,
            p50: latencies.percentile(0.5),
            p99: latencies.percentile(0.99),
            note: "goal 5,000 ms; \(calls) calls of the node, which took it \(busy / 1_000) ms"
        )
    }
}
