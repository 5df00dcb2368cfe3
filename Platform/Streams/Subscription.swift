/// How far one subscriber of a channel has come; a value that its session keeps and the channel moves on.
struct Subscription {
    enum Position: Equatable {
        /// It waits for what the channel opens with.
        case opening
        /// It lost the thread and waits for a new beginning.
        case reopening
        /// It has everything up to a number of one unbroken run of them.
        case after(Int64, run: UInt64)
    }

    let channel: StreamChannel
    var position = Position.opening
    /// Whether the subscriber was told that nothing newer is known.
    var isToldStale = false
    /// The channel's version up to which there is nothing left to take.
    var seenVersion: UInt64?
}
