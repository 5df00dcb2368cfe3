import Compliance
import DomainKit
import Kernel
import Ledger
import Logging
import PostgreSQL
import WalletCrypto

/// Has payouts signed and sends them, each until a block has it.
///
/// A payout is signed, for a nonce or coins that no other one has, and stored, before anything is sent. A process that
/// ends between sending and storing has lost nothing: the same bytes go out again, and a chain takes them once.
struct CustodySender: Sendable {
    /// Payouts of one round.
    static let roundMax = 32
    /// How long another process leaves a payout to the one that sends it.
    static let leaseSeconds = 20.0
    /// Seconds until what a node has is sent again, should no block have it by then.
    static let againSeconds = 15.0
    /// Seconds after which what no block has taken is signed anew for more gas.
    static let stuckSeconds = 180.0
    /// Transactions that a payout is signed as at most.
    ///
    /// The gas ceiling ends it before: nodes want a tenth more each time, an eighth is offered, and so many eighths are
    /// more than any ceiling is above a wei.
    static let attemptsMax = 256
    /// From so many failed attempts on operators are told.
    static let attemptsAlarming = 8
    /// Constraints that two payouts meet which are signed for the same: a nonce, coins, or all of it.
    private static let taken = ["custody_withdrawals_nonce", "custody_withdrawals_once", "custody_inputs_pkey"]
    /// The longest wait between two attempts.
    static let delaySecondsMax = 300.0
    /// What no time changes about a payout that a chain would not take.
    private static let hopeless: Set<String> = ["amount_too_small", "amount_out_of_range", "bad_checksum"]
    /// Seconds until what a person must look at is asked about again.
    static let reviewSeconds = 5.0

    let chain: any CustodyChain
    let schema: Schema
    let pool: Pool
    let withdrawals: CustodyWithdrawals
    let books: CustodyBooks
    let checks: CustodyChecks
    let payouts: PayoutChecks
    let faults: CustodyFaults
    let ledger: Ledger
    let logger: Logger

    init(
        _ chain: any CustodyChain,
        _ runtime: DomainRuntime,
        withdrawals: CustodyWithdrawals,
        books: CustodyBooks,
        checks: CustodyChecks,
        payouts: PayoutChecks,
        faults: CustodyFaults,
        logger: Logger
    ) {
        (schema, pool, ledger) = (runtime.schema, runtime.pool, runtime.ledger)
        (self.chain, self.withdrawals) = (chain, withdrawals)
        (self.books, self.checks, self.payouts) = (books, checks, payouts)
        (self.faults, self.logger) = (faults, logger)
    }

    /// Sends what is due; how many there were.
    @discardableResult func round() async throws -> Int {
        let due = try await claim()
        let steps = ChainSteps(chain: chain.name, ledger: ledger, logger: logger)
        try await steps.each(due, refused: { try await faults.keep($0.wire, $1) }) { id in
            do {
                try await advance(id)
            } catch let error as PostgresError where Self.taken.contains(where: { error.violates($0) }) {
                // Somebody else took the nonce or the coins: others are found in the next round.
                return
            }
        }
        return due.count
    }

    private func claim() async throws -> [ID<CustodyWithdrawal>] {
        let rows = try await pool.query(
            """
            update \(schema).custody_withdrawals
            set next_at = clock_timestamp() + make_interval(secs => \(CustodySender.leaseSeconds)),
                attempts = attempts + 1
            where id in (
                select id from \(schema).custody_withdrawals
                where chain = \(chain.name) and next_at <= clock_timestamp()
                order by next_at limit \(CustodySender.roundMax) for no key update skip locked)
            returning id
            """
        )
        return try rows.map { row -> ID<CustodyWithdrawal> in try row["id"] }.sorted()
    }

    private func advance(_ id: ID<CustodyWithdrawal>) async throws {
        guard let withdrawal = try await withdrawals.find(id) else { return }
        switch withdrawal.state {
        case .waiting:
            guard try await !isFrozen(withdrawal) else { return try await postpone(withdrawal, "account_frozen") }
            guard try await isCleared(withdrawal) else { return }
            guard let signed = try await signed(withdrawal) else { return }
            // What is stored as signed may be sent, and nothing else.
            switch try await commit(withdrawal, .signed(signed)) {
            case nil: break
            case .accountFrozen: return try await postpone(withdrawal, "account_frozen")
            case let refusal?: return try await postpone(withdrawal, "\(refusal)")
            }
            guard let stored = try await withdrawals.find(id) else { return }
            try await send(stored, signed)
        case .signed(let signed): try await send(withdrawal, signed)
        case .included, .confirmed, .failed, .cancelled: return
        }
    }

    /// Whether nothing may leave the customer's account now: what was reserved before waits.
    private func isFrozen(_ withdrawal: CustodyWithdrawal) async throws -> Bool {
        try await books.accounts.balances(of: withdrawal.user.value).contains {
            $0.kind == CustodyBooks.customer && $0.total.asset == withdrawal.amount.asset && $0.frozenBecause != nil
        }
    }

    // MARK: Signing

    /// Whether compliance holds nothing against a payout now; what it refuses is ended.
    private func isCleared(_ withdrawal: CustodyWithdrawal) async throws -> Bool {
        guard let account = AccountID("\(chain.name):\(withdrawal.recipient)") else { return false }
        let destination = try await payouts.destination(account, for: withdrawal.user, named: .other(name: nil))
        guard destination.beneficiary == .customer else {
            // It was theirs when it was asked for.
            try await store(withdrawal, .refused, because: "wallet_not_verified")
            return false
        }
        switch try await checks.standing(of: withdrawal, to: destination) {
        case .goesOn: return true
        case .refused: try await store(withdrawal, .refused, because: "refused")
        case .waits: try await wait(withdrawal)
        }
        return false
    }

    private func wait(_ withdrawal: CustodyWithdrawal) async throws {
        _ = try await pool.query(
            """
            update \(schema).custody_withdrawals
            set reason = 'in_review', attempts = 0,
                next_at = clock_timestamp() + make_interval(secs => \(CustodySender.reviewSeconds))
            where id = \(withdrawal.id) and version = \(withdrawal.version) and next_at is not null
            """
        )
    }

    /// The payout, signed; nil where that has to wait, or will never be.
    private func signed(_ withdrawal: CustodyWithdrawal) async throws -> CustodyWithdrawal.Signed? {
        do {
            return try await chain.signed(withdrawal)
        } catch let error as NodeError {
            guard case .refused(let code, let message) = error, code == 3 || message.contains("revert") else {
                try await postpone(withdrawal, error.description)
                return nil
            }
            try await store(withdrawal, .refused, because: "would_revert")
            return nil
        } catch let problem as Problem where Self.hopeless.contains(problem.code) {
            try await store(withdrawal, .refused, because: problem.code)
            return nil
        } catch let problem as Problem {
            try await postpone(withdrawal, problem.code)
            return nil
        }
    }

    // MARK: Sending

    private func send(_ withdrawal: CustodyWithdrawal, _ signed: CustodyWithdrawal.Signed) async throws {
        switch await chain.send(signed) {
        case .accepted:
            switch try await speedUp(withdrawal, signed, isRefused: false) {
            case .raised: return
            case .notDue: try await waitForBlock(withdrawal)
            case .impossible: try await waitForBlock(withdrawal, because: "no_block_yet")
            }
        case .nonceTooLow: try await lookUp(withdrawal, signed)
        case .underpriced:
            if try await speedUp(withdrawal, signed, isRefused: true) != .raised {
                try await postpone(withdrawal, "underpriced")
            }
        case .insufficientFunds: try await postpone(withdrawal, "insufficient_funds_of_custodian")
        case .refused(let words): try await postpone(withdrawal, words)
        case .unknown(let why): try await postpone(withdrawal, why)
        }
    }

    /// Whether a payout was signed for more.
    private enum Raise {
        case raised
        /// It isn't time for that.
        case notDue
        /// Gas costs more than is allowed, or the chain knows no such thing.
        case impossible
    }

    /// Signs and sends a payout for more gas that no block has taken for long, or that nodes don't take at its price.
    ///
    /// The chain takes one of them; whichever that is, it is known by its hash.
    private func speedUp(
        _ withdrawal: CustodyWithdrawal,
        _ signed: CustodyWithdrawal.Signed,
        isRefused: Bool
    ) async throws -> Raise {
        let attempts = try await withdrawals.attempts(of: withdrawal, stuckSeconds: Self.stuckSeconds)
        guard attempts.isStuck || isRefused else { return .notDue }
        guard attempts.signed.count < Self.attemptsMax,
            let new = try await chain.dearer(than: signed, isRefused: isRefused)
        else { return .impossible }
        try await store(withdrawal, .replaced(new), because: "sped_up")
        guard let stored = try await withdrawals.find(withdrawal.id) else { return .raised }
        logger.notice(
            "a payout is sped up",
            metadata: ["withdrawal": "\(withdrawal.id.wire)", "attempts": "\(attempts.signed.count)"]
        )
        // Taken or not, it has its turn again like any other.
        switch await chain.send(new) {
        case .accepted: try await waitForBlock(stored)
        case let answer: try await postpone(stored, "sped_up: \(answer)")
        }
        return .raised
    }

    // What it was signed for is used, or its time is over: only what can't come into a block any more is signed anew.
    private func lookUp(_ withdrawal: CustodyWithdrawal, _ signed: CustodyWithdrawal.Signed) async throws {
        let attempts = try await withdrawals.attempts(of: withdrawal, stuckSeconds: Self.stuckSeconds).signed
        switch try await chain.fate(of: attempts) {
        case .known: try await waitForBlock(withdrawal)
        case .unclear: try await postpone(withdrawal, signed.nonce == nil ? "inputs_unclear" : "nonce_unclear")
        case .over:
            try await store(withdrawal, .voided, because: signed.nonce == nil ? "too_late" : "nonce_used")
        }
    }

    private func store(
        _ withdrawal: CustodyWithdrawal,
        _ event: CustodyWithdrawal.Event,
        because reason: String? = nil
    ) async throws {
        guard let refusal = try await commit(withdrawal, event, because: reason) else { return }
        logger.critical(
            "the ledger refused what became of a payout; an operator must look",
            metadata: ["withdrawal": "\(withdrawal.id.wire)", "refusal": "\(refusal)"]
        )
    }

    private func commit(
        _ withdrawal: CustodyWithdrawal,
        _ event: CustodyWithdrawal.Event,
        because reason: String? = nil
    ) async throws -> LedgerRefusal? {
        let item = try await books.item(withdrawal, event, because: reason)
        if case .refused(let refusal, _) = try await ledger.submit(batch: [item])[0] { return refusal }
        return nil
    }

    private func waitForBlock(_ withdrawal: CustodyWithdrawal, because reason: String? = nil) async throws {
        _ = try await pool.query(
            """
            update \(schema).custody_withdrawals
            set reason = \(reason), attempts = 0,
                next_at = clock_timestamp() + make_interval(secs => \(CustodySender.againSeconds))
            where id = \(withdrawal.id) and version = \(withdrawal.version) and next_at is not null
            """
        )
    }

    private func postpone(_ withdrawal: CustodyWithdrawal, _ why: String) async throws {
        let rows = try await pool.query(
            """
            update \(schema).custody_withdrawals
            set reason = \(why), next_at = clock_timestamp() + make_interval(
                secs => least(\(CustodySender.delaySecondsMax), 0.25 * 2 ^ least(attempts, 12)))
            where id = \(withdrawal.id) and version = \(withdrawal.version) and next_at is not null
            returning attempts
            """
        )
        let attempts: Int = try rows.first?["attempts"] ?? 0
        logger.log(
            level: attempts >= CustodySender.attemptsAlarming ? .error : .info,
            "a payout is not on the chain yet",
            metadata: ["withdrawal": "\(withdrawal.id.wire)", "why": "\(why)", "attempts": "\(attempts)"]
        )
    }
}
