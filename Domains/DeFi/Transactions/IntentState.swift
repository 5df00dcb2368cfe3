import Kernel

/// Where a transaction stands between its being built and its being history.
///
/// A transaction that a block took is not yet history: the chain may replace the block. So what failed, and what
/// another transaction with its nonce displaced, ends only when that block is final.
enum IntentState: Hashable, Sendable {
    /// In a block, which the chain may still replace.
    struct Inclusion: Hashable, Sendable {
        let block: BlockReference
        /// Whether the call went through; gas is paid in either case.
        let succeeded: Bool
        /// Wei.
        let gasCost: Int128
        /// What the wallet got of the intent's asset, in its minor units.
        let received: Int128
        /// What left the wallet of it.
        var paid: Int128 = 0
        /// The same of the pair's other token, or of the one that rewards are paid in, in its smallest units.
        var pairReceived: Int128 = 0
        /// What left the wallet of that token.
        var pairPaid: Int128 = 0
    }

    /// Unsigned, waiting for the user.
    case built
    /// Signed, on its way to the chain.
    case signed
    /// A node has it.
    case broadcast
    /// No node knows it any more; it is sent again as it is.
    case dropped
    /// In this block, or before it, another transaction used its nonce.
    case displaced(BlockReference)
    /// In a block.
    case included(Inclusion)
    /// In a block that counts as final.
    case final(Inclusion)
    /// Reverted in a block that counts as final.
    case failed(Inclusion)
    /// Another transaction with its nonce is final, or no node would ever take this one.
    case replaced
    /// Never signed in time.
    case expired

    /// What happens to it.
    enum Event: Hashable, Sendable {
        /// The user gave it back signed.
        case signed
        /// Its time is over.
        case timedOut
        /// A node has it, now or from before.
        case accepted
        /// No node knows it, and its nonce is free.
        case lost
        /// A block has it.
        case included(Inclusion)
        /// A block has another transaction with its nonce.
        case displaced(BlockReference)
        /// The block that it was in, or that displaced it, is of the chain no more.
        case reorganised
        /// What decides about it counts as final: the block that it is in, the one that displaced it, or the word of
        /// every node, said for long, that it can't be sent as it is.
        case settled
    }

    /// Something that can't happen in a state.
    struct Impossible: Error, Hashable, Sendable {
        let state: String
        let event: Event
    }

    /// The state after an event.
    ///
    /// - Throws: `Impossible`.
    func after(_ event: Event) throws(Impossible) -> IntentState {
        switch (self, event) {
        case (.built, .signed): return .signed
        case (.built, .timedOut): return .expired
        case (.signed, .accepted), (.dropped, .accepted): return .broadcast
        case (.broadcast, .lost): return .dropped
        // A block may have it before its sender hears that the node does.
        case (.signed, .included(let inclusion)), (.broadcast, .included(let inclusion)),
            (.dropped, .included(let inclusion)):
            return .included(inclusion)
        case (.signed, .displaced(let block)), (.broadcast, .displaced(let block)), (.dropped, .displaced(let block)):
            return .displaced(block)
        case (.included, .reorganised), (.displaced, .reorganised): return .broadcast
        case (.included(let inclusion), .settled): return inclusion.succeeded ? .final(inclusion) : .failed(inclusion)
        case (.displaced, .settled): return .replaced
        // No block has its nonce, and none will have it as it is.
        case (.signed, .settled), (.dropped, .settled): return .replaced
        default: throw Impossible(state: name, event: event)
        }
    }

    /// A state by its word, with what goes with it; nil where that is missing, and for any other word.
    init?(_ name: String, _ block: BlockReference?, _ inclusion: Inclusion?) {
        switch (name, block, inclusion) {
        case ("built", _, _): self = .built
        case ("signed", _, _): self = .signed
        case ("broadcast", _, _): self = .broadcast
        case ("dropped", _, _): self = .dropped
        case ("displaced", let block?, _): self = .displaced(block)
        case ("included", _, let inclusion?): self = .included(inclusion)
        case ("final", _, let inclusion?): self = .final(inclusion)
        case ("failed", _, let inclusion?): self = .failed(inclusion)
        case ("replaced", _, _): self = .replaced
        case ("expired", _, _): self = .expired
        default: return nil
        }
    }

    /// Its word in the database and on the wire.
    var name: String {
        switch self {
        case .built: "built"
        case .signed: "signed"
        case .broadcast: "broadcast"
        case .dropped: "dropped"
        case .displaced: "displaced"
        case .included: "included"
        case .final: "final"
        case .failed: "failed"
        case .replaced: "replaced"
        case .expired: "expired"
        }
    }

    /// All words.
    static let names = [
        "built", "signed", "broadcast", "dropped", "displaced", "included", "final", "failed", "replaced", "expired",
    ]

    /// Whether nothing happens to it any more.
    var isOver: Bool {
        switch self {
        case .final, .failed, .replaced, .expired: true
        case .built, .signed, .broadcast, .dropped, .displaced, .included: false
        }
    }

    /// Whether it is signed and no node is known to have it.
    var waitsToBeSent: Bool {
        switch self {
        case .signed, .dropped: true
        case .built, .broadcast, .displaced, .included, .final, .failed, .replaced, .expired: false
        }
    }

    /// The block that decides about it, where there is one.
    var block: BlockReference? {
        switch self {
        case .displaced(let block): block
        case .included(let inclusion), .final(let inclusion), .failed(let inclusion): inclusion.block
        case .built, .signed, .broadcast, .dropped, .replaced, .expired: nil
        }
    }

    /// What its block did, where it is in one.
    var inclusion: Inclusion? {
        switch self {
        case .included(let inclusion), .final(let inclusion), .failed(let inclusion): inclusion
        case .built, .signed, .broadcast, .dropped, .displaced, .replaced, .expired: nil
        }
    }
}
