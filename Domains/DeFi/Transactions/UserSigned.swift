import Kernel
import Ledger
import PostgreSQL

/// A transaction that the user's own wallet signs and that is followed on its chain: an `Intent` or a `Payment`.
protocol UserSigned: Sendable {
    var id: ID<Intent> { get }
    var user: ID<User> { get }
    /// CAIP-2.
    var chain: String { get }
    /// The first one of those that take each other's place.
    var root: ID<Intent> { get }
    var progress: IntentProgress { get set }
    /// What others are told of it.
    var told: JSON { get }

    /// Where it is stored; its columns go by `i`.
    static func table(in schema: Schema) -> SQL
    static var columns: SQL { get }

    /// One as it is stored.
    ///
    /// - Throws: `UnreadableIntent`, a `DecodingFailure`.
    init(_ row: Row) throws
}

/// A row that no intent or payment is.
struct UnreadableIntent: Error, Sendable {
    let id: UInt128
}

/// A transaction as it is sent.
struct SignedTransaction: Hashable, Sendable {
    /// All that the chain is sent, signatures included.
    let raw: [UInt8]
    /// What the chain knows it by: on Solana its first signature.
    let hash: [UInt8]
}

/// How far a transaction has come that the user's own wallet signs.
struct IntentProgress: Hashable, Sendable {
    /// What the user signed; nil before.
    private(set) var signed: SignedTransaction?
    private(set) var state: IntentState
    /// Why it is where it is, in a word, where that isn't plain.
    private(set) var reason: String?
    /// What the ledger holds of the block that it is in.
    private(set) var transfers: [ID<Transfer>]
    /// What is stored is this version; 0 for what is new.
    let version: Int64
    /// The state that was stored.
    let storedState: String?

    /// Of a new one.
    init() {
        (signed, state, reason, transfers, version, storedState) = (nil, .built, nil, [], 0, nil)
    }

    /// As it is stored.
    init(_ row: Row, _ state: IntentState) throws {
        let (raw, hash): (Bytes?, Bytes?) = (try row["raw"], try row["hash"])
        signed = raw.flatMap { raw in hash.map { SignedTransaction(raw: raw.array, hash: $0.array) } }
        (self.state, storedState) = (state, state.name)
        (reason, transfers, version) = (try row["reason"], try row["transfers"], try row["version"])
    }

    /// The same, changed before it was signed.
    func changed(because reason: String) -> IntentProgress {
        var changed = self
        changed.reason = reason
        return changed
    }

    fileprivate mutating func take(_ returned: SignedTransaction) throws(IntentState.Impossible) {
        state = try state.after(.signed)
        (reason, signed) = (nil, returned)
    }

    fileprivate mutating func apply(
        _ event: IntentState.Event,
        posted: [ID<Transfer>],
        because reason: String?
    ) throws(IntentState.Impossible) {
        state = try state.after(event)
        // Why another one took its place is still so when that is final.
        if !(event == .settled && reason == nil) { self.reason = reason }
        switch event {
        case .included: transfers = posted
        case .reorganised: transfers = []
        case .signed, .timedOut, .accepted, .lost, .displaced, .settled: break
        }
    }
}

extension UserSigned {
    var signed: SignedTransaction? { progress.signed }
    var state: IntentState { progress.state }
    var reason: String? { progress.reason }
    var transfers: [ID<Transfer>] { progress.transfers }
    var version: Int64 { progress.version }
    var storedState: String? { progress.storedState }

    /// Takes what the user signed, which the caller has checked against it.
    mutating func take(_ returned: SignedTransaction) throws(IntentState.Impossible) { try progress.take(returned) }

    /// Lets something happen to it; `posted` are the ledger's transfers for the block that it is in from now on.
    mutating func apply(
        _ event: IntentState.Event,
        posted: [ID<Transfer>] = [],
        because reason: String? = nil
    ) throws(IntentState.Impossible) {
        try progress.apply(event, posted: posted, because: reason)
    }
}
