import Kernel

/// Letters that are to be written, in memory: bounded, and lost with the process, as users can ask again.
///
/// Whoever asks gets an answer before anything is looked up, so that the answer's time says nothing about who is a
/// user.
struct LetterBox: Sendable {
    /// A letter that is to be written.
    enum Order: Sendable {
        /// A token that proves the address of a user.
        case verification(ID<User>)
        /// Word to a user that somebody wanted to register with the user's address.
        case addressKnown(Email)
        /// A token that sets a new password, if there is a user with that address.
        case passwordReset(Email, Origin)
    }

    /// Orders that may wait.
    static let ordersMax = 1_000

    /// Whether letters can be sent at all.
    let isOpen: Bool
    let orders: AsyncStream<Order>
    private let continuation: AsyncStream<Order>.Continuation

    init(isOpen: Bool) {
        self.isOpen = isOpen
        (orders, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(LetterBox.ordersMax))
    }

    /// Takes an order.
    ///
    /// - Throws: `mailUnavailable` when there is no transport, or too many wait.
    func post(_ order: Order) throws(IdentityProblem) {
        guard isOpen, case .enqueued = continuation.yield(order) else { throw .mailUnavailable }
    }
}
