public import Kernel

extension LedgerCore {
    /// What an operation did.
    public struct Receipt: Sendable, Hashable {
        /// The instant of the batch, by the database's clock.
        public let at: Timestamp
        /// The transfers made, in the order of the commands.
        public let transfers: [TransferRecord]
        /// The reservations touched, as they are afterwards, in the order of the commands.
        public let reservations: [ReservationState]
        /// The customers' accounts touched, as they are afterwards, in the order of their first change.
        public internal(set) var accounts: [AccountState] = []
        /// Its place among the operations of the batch: what comes later has a higher one.
        public internal(set) var place = 0
    }
}
