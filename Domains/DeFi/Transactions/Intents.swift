import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

typealias Intents = IntentStore<Intent>

extension IntentStore where Value == Intent {
    /// One of a user.
    ///
    /// - Throws: 404.
    func get(_ id: ID<Intent>, of user: ID<User>) async throws -> Intent {
        guard let intent = try await find(id, of: user) else {
            throw Problem(404, "not_found", "There is no such transaction.")
        }
        return intent
    }

    /// Those of a strategy, newest first.
    func list(of strategy: ID<Strategy>, limit: Int = Self.listMax) async throws -> [Intent] {
        try await find("i.strategy = \(strategy)", limit: limit)
    }

    /// Those on a chain that a block may be about: by their own hashes, or by sender and nonce.
    func open(on chain: String, hashes: [[UInt8]], senders: [String]) async throws -> [Intent] {
        try await readable(
            """
            i.chain = \(chain) and i.state in ('signed', 'broadcast', 'dropped')
                and (i.hash = any(\(hashes.map(Bytes.init))) or i.address = any(\(senders)))
            """,
            limit: Intents.blockMax
        )
    }

    /// An account's unsigned ones.
    func unsigned(of address: EthereumAddress, on chain: String) async throws -> [Intent] {
        try await find(
            "i.chain = \(chain) and i.address = \(address.description) and i.state = 'built'",
            limit: Intents.listMax
        )
    }

    /// Whether it was another intent of the same account that has used a nonce.
    func ownTook(_ nonce: UInt64, of intent: Intent) async throws -> Bool {
        let rows = try await pool.query(
            """
            select 1 from \(schema).intents
            where chain = \(intent.chain) and address = \(intent.address.description)
                and nonce = \(Int64(clamping: nonce)) and id <> \(intent.id)
                and state in ('included', 'final', 'failed')
            limit 1
            """
        )
        return !rows.isEmpty
    }

    /// What those that were ever signed with an intent's nonce offer for gas at most, itself included: another one has
    /// to exceed all of them, since one that a block has now may not stay there.
    func offered(beside intent: Intent) async throws -> GasPrice {
        let rows = try await pool.query(
            """
            select max(max_fee) as max_fee, max(tip) as tip from \(schema).intents
            where chain = \(intent.chain) and address = \(intent.address.description)
                and nonce = \(Int64(clamping: intent.transaction.nonce))
                and hash is not null
            """
        )
        let own = intent.transaction.offered
        let (maxFee, tip): (Int128?, Int128?) = (try rows[0]["max_fee"], try rows[0]["tip"])
        return GasPrice(
            maxFee: max(own.maxFee, maxFee.map { BigUInt($0) } ?? .zero),
            tip: max(own.tip, tip.map { BigUInt($0) } ?? .zero)
        )
    }

    /// Whether another intent that may still come into a block needs the same reservation.
    func isShared(_ reservation: ID<Reservation>, besides intent: ID<Intent>) async throws -> Bool {
        let rows = try await pool.query(
            """
            select 1 from \(schema).intents
            where reservation = \(reservation) and id <> \(intent)
                and state not in ('final', 'failed', 'replaced', 'expired', 'displaced')
            limit 1
            """
        )
        return !rows.isEmpty
    }

    /// Nonces that an account's signed intents have, and what open ones may still cost: wei, and amounts by asset.
    func holds(of address: EthereumAddress, on chain: String) async throws -> WalletHolds {
        let rows = try await pool.query(
            """
            select nonce, asset, kind, value + gas_limit::numeric * max_fee as coins, amount,
                state <> 'built' as is_signed, state in ('included', 'displaced') as is_in_block
            from \(schema).intents
            where chain = \(chain) and address = \(address.description)
                and state not in ('final', 'failed', 'replaced', 'expired')
            limit \(Intents.listMax)
            """
        )
        var holds = WalletHolds()
        for row in rows {
            let (nonce, asset, kind): (Int64, String, String) = (try row["nonce"], try row["asset"], try row["kind"])
            let (isSigned, isInBlock): (Bool, Bool) = (try row["is_signed"], try row["is_in_block"])
            if isSigned { holds.nonces.insert(UInt64(nonce)) }
            guard !isInBlock else { continue }
            var held = WalletHolds.Amounts()
            held.coins = try row["coins"]
            if kind == Intent.Kind.transfer.rawValue || kind == Intent.Kind.start.rawValue {
                held.tokens[asset] = try row["amount"]
            }
            if isSigned { holds.signed.add(held) } else { holds.unsigned.add(held) }
        }
        return holds
    }
}

/// What open intents of an account may still need.
struct WalletHolds: Hashable, Sendable {
    /// What some of them need.
    struct Amounts: Hashable, Sendable {
        /// Wei.
        var coins: Int128 = 0
        /// Minor units by asset.
        var tokens: [String: Int128] = [:]

        mutating func add(_ other: Amounts) {
            coins += other.coins
            tokens.merge(other.tokens) { $0 + $1 }
        }
    }

    /// Nonces that signed ones have.
    ///
    /// What isn't signed keeps no number from anybody: who signs first has it.
    var nonces: Set<UInt64> = []
    /// On their way.
    var signed = Amounts()
    /// Waiting for their signature, which may never come.
    var unsigned = Amounts()

    /// What counts against something new; what leaves a strategy waits for nothing that isn't signed.
    func amounts(besidesUnsigned isExit: Bool) -> Amounts {
        var all = signed
        if !isExit { all.add(unsigned) }
        return all
    }

    /// The first nonce from one on that none of the signed has.
    func free(from nonce: UInt64) -> UInt64 {
        var free = nonce
        while nonces.contains(free) { free += 1 }
        return free
    }
}

extension Intent: UserSigned {
    static func table(in schema: Schema) -> SQL { "\(schema).intents" }

    static let columns: SQL = """
        i.id, i.user_id, i.wallet, i.chain, i.address, i.kind, i.strategy, i.replaces, i.asset, i.amount,
            i.pair_amount, i.principal, i.reservation, i.nonce, i.recipient, i.value, i.calldata, i.gas_limit,
            i.max_fee, i.tip, i.summary, i.raw, i.hash, i.state, i.reason, i.block_number, i.block_hash, i.succeeded,
            i.gas_cost, i.received, i.paid, i.pair_received, i.pair_paid, i.transfers, i.version, i.created_at,
            i.expires_at, i.floor_asked, i.floor_least
        """

    init(_ row: Row) throws {
        let id: ID<Intent> = try row["id"]
        let (assetCode, kindName, address): (String, String, String) = (
            try row["asset"], try row["kind"], try row["address"]
        )
        guard let asset = Asset(code: assetCode), let kind = Kind(rawValue: kindName),
            let sender = EthereumAddress(address), let transaction = try Self.transaction(row),
            let state = try Self.state(row)
        else { throw UnreadableIntent(id: id.value) }
        let (asked, least): (Int128?, Int128?) = (try row["floor_asked"], try row["floor_least"])
        let draft = Draft(
            wallet: LinkedWallet(id: try row["wallet"], user: try row["user_id"], address: sender),
            chain: try row["chain"],
            kind: kind,
            strategy: try row["strategy"],
            replaces: try row["replaces"],
            amount: Money(minorUnits: try row["amount"], asset),
            pairAmount: try row["pair_amount"],
            principal: try row["principal"],
            reservation: try row["reservation"],
            floor: asked.flatMap { asked in least.map { StrategyFloor(asked: asked, least: $0) } },
            transaction: transaction,
            summary: try row["summary"]
        )
        self.init(
            draft,
            id: id,
            times: (try row["created_at"], try row["expires_at"]),
            progress: try IntentProgress(row, state)
        )
    }

    private static func transaction(_ row: Row) throws -> EthereumTransaction? {
        let (chain, recipient): (String, String) = (try row["chain"], try row["recipient"])
        let (nonce, gasLimit): (Int64, Int64) = (try row["nonce"], try row["gas_limit"])
        let (value, maxFee, tip): (Int128, Int128, Int128) = (try row["value"], try row["max_fee"], try row["tip"])
        let data: Bytes = try row["calldata"]
        guard let chainID = chain.split(separator: ":").last.flatMap({ UInt64($0) }),
            let to = EthereumAddress(recipient)
        else { return nil }
        return EthereumTransaction(
            chainID: chainID,
            nonce: UInt64(nonce),
            fee: .dynamic(maxFeePerGas: BigUInt(maxFee), maxPriorityFeePerGas: BigUInt(tip)),
            gasLimit: UInt64(gasLimit),
            to: to,
            value: BigUInt(value),
            data: data.array
        )
    }

    private static func state(_ row: Row) throws -> IntentState? {
        let name: String = try row["state"]
        let (number, hash): (Int64?, Bytes?) = (try row["block_number"], try row["block_hash"])
        let block = number.flatMap { number in hash.map { BlockReference(number: number, hash: $0.array) } }
        let (succeeded, gasCost, received): (Bool?, Int128?, Int128?) = (
            try row["succeeded"], try row["gas_cost"], try row["received"]
        )
        var inclusion: IntentState.Inclusion?
        if let block, let succeeded, let gasCost, let received {
            inclusion = .init(
                block: block,
                succeeded: succeeded,
                gasCost: gasCost,
                received: received,
                paid: try row["paid"],
                pairReceived: try row["pair_received"],
                pairPaid: try row["pair_paid"]
            )
        }
        return IntentState(name, block, inclusion)
    }
}
