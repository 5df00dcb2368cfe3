import Kernel
import WalletCrypto

/// Custody of the coin of a chain of payments: Bitcoin's, Solana's.
///
/// What a transaction moved between accounts says what came and from whom, and what left; the same says what payouts
/// cost, so that the books are what the chain has by each of its blocks.
struct PaymentCustody: CustodyChain {
    /// Blocks between the one that holdings are asked for and the newest, at most.
    static let blocksMax = 300

    let chain: any PaymentChain
    let custodian: HouseCustodian
    let withdrawals: CustodyWithdrawals

    /// Nil where the chain names no account.
    ///
    /// - Throws: `CustodianFault` where nobody signs for it.
    init?(_ chain: any PaymentChain, _ withdrawals: CustodyWithdrawals) throws(CustodianFault) {
        guard let custodian = try chain.custodian() else { return nil }
        (self.chain, self.custodian, self.withdrawals) = (chain, custodian, withdrawals)
    }

    var account: String { custodian.account }
    var name: String { chain.name }
    var coin: Asset { chain.coin }
    var confirmations: Int64 { chain.confirmations }

    func has(_ asset: Asset) -> Bool { asset == coin }

    func address(_ text: String) -> String? { chain.network.normalizedAddress(text) }

    // MARK: Following

    func look(at reference: BlockReference, _ assets: [Asset], having read: ReadBlock?) async throws -> CustodyBlock? {
        let known: PaymentBlock?
        if case .payments(let block)? = read, block.reference == reference {
            known = block
        } else {
            known = try await chain.block(after: reference.number - 1)
        }
        // Another block in its place is for who follows the chain to find.
        guard let block = known, block.reference == reference else { return nil }
        var (sightings, own): ([CustodyDeposit.Sighting], [CustodyBlock.Own]) = ([], [])
        for entry in block.entries {
            let moved = moved(by: entry)
            if moved < 0 {
                own.append(CustodyBlock.Own(hash: entry.id, succeeded: entry.succeeded, coins: -moved))
            } else if moved > 0, moved < Money.limit, assets.contains(coin) {
                sightings.append(
                    CustodyDeposit.Sighting(
                        hash: entry.id,
                        place: 0,
                        sender: sender(of: entry),
                        amount: Money(minorUnits: moved, coin),
                        block: reference
                    )
                )
            }
        }
        return CustodyBlock(sightings: sightings, own: own, unclear: block.unclear { $0 == account })
    }

    /// What the account got by a transaction, below zero for what left it.
    private func moved(by entry: PaymentBlock.Entry) -> Int128 {
        entry.moves.reduce(0) { $0 + ($1.address == account && $1.asset == coin ? $1.amount : 0) }
    }

    /// Who paid for a transaction; nobody, where it brought more than is known to have been paid.
    private func sender(of entry: PaymentBlock.Entry) -> String {
        var (payers, sum): ([String], Int128) = ([], entry.fee)
        for move in entry.moves where move.asset == coin {
            if move.amount < 0 { payers.append(move.address) }
            sum += move.amount
        }
        let isKnown = sum <= 0 && payers.count <= CustodyDeposit.sendersMax
        return isKnown ? payers.sorted().joined(separator: CustodyDeposit.senderSeparator) : ""
    }

    func requireStanding(_ hash: [UInt8], in block: BlockReference?, succeeded: Bool) async throws(NodeError) {
        guard case .included(let found, succeeded, _) = try await chain.status(of: hash), found == block else {
            throw .disagreement("the block of a transaction that becomes final")
        }
    }

    func block(of hash: [UInt8]) async throws(NodeError) -> BlockReference? {
        guard case .included(let block, _, _) = try await chain.status(of: hash) else { return nil }
        return block
    }

    func knows(_ hash: [UInt8]) async throws(NodeError) -> Bool { try await chain.status(of: hash) != .unknown }

    /// What nodes say is as of their newest block: what the blocks since then moved is taken off.
    func holdings(of assets: [Asset], at number: Int64) async throws -> [Int128] {
        let reading = try await chain.reading(of: [account])
        var amount = reading.balances[account]?.first { $0.asset == coin }?.minorUnits ?? 0
        var last: BlockReference?
        for _ in 0..<Self.blocksMax where (last?.number ?? number) < reading.block.number {
            guard let block = try await chain.block(after: last?.number ?? number) else { break }
            if let last, block.parentHash != last.hash { throw NodeError.disagreement("block \(block.number)") }
            guard block.unclear(of: { $0 == account }).isEmpty else { throw NodeError.disagreement("what moved") }
            amount -= block.entries.reduce(0) { $0 + moved(by: $1) }
            last = block.reference
        }
        guard last == nil || last == reading.block, (last?.number ?? number) >= reading.block.number else {
            throw NodeError.disagreement("what the custodian has")
        }
        return assets.map { $0 == coin ? amount : 0 }
    }

    // MARK: Paying

    func signed(_ withdrawal: CustodyWithdrawal) async throws -> CustodyWithdrawal.Signed {
        let order = PaymentOrder(
            wallet: PayingWallet(id: withdrawal.id.cast(), user: withdrawal.user, address: account),
            recipient: withdrawal.recipient,
            amount: withdrawal.amount,
            speed: .fast
        )
        let built = try await chain.build(ofHouse: order) { [withdrawals, name] in
            try await withdrawals.used($0, on: name)
        }
        let returned = try await custodian.sign(built)
        let signed: SignedTransaction
        do throws(PaymentFault) {
            signed = try chain.read(returned, for: built, of: order)
        } catch {
            throw NodeError.malformed("another transaction was signed: \(error)")
        }
        return CustodyWithdrawal.Signed(
            raw: signed.raw,
            hash: signed.hash,
            nonce: nil,
            details: built.details,
            inputs: built.inputs
        )
    }

    /// What was signed stays as it is: it is offered for a place in the next blocks from the beginning.
    func dearer(
        than signed: CustodyWithdrawal.Signed,
        isRefused: Bool
    ) async throws -> CustodyWithdrawal.Signed? {
        nil
    }

    func send(_ signed: CustodyWithdrawal.Signed) async -> Reception {
        await chain.send(SignedTransaction(raw: signed.raw, hash: signed.hash))
    }

    // Coins that are gone may come back with the blocks that made them, so that nothing is signed in place of what
    // spends them; a payout whose time is over by the final blocks of all nodes has no place in the chain any more.
    func fate(of attempts: [CustodyWithdrawal.Signed]) async throws -> CustodyFate {
        for attempt in attempts {
            let payment = UnsignedPayment(text: "", fee: 0, feeMax: 0, details: attempt.details)
            let outlook = try await chain.outlook(of: payment)
            // Asked last: what came into a block meanwhile is known.
            guard try await chain.status(of: attempt.hash) == .unknown else { return .known }
            guard outlook == .late else { return .unclear }
        }
        return attempts.isEmpty ? .unclear : .over
    }
}
