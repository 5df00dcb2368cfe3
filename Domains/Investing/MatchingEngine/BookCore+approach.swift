import CPrefetch

/// What a command is going to touch beside its own order, brought near before it is due; nothing is changed.
extension BookCore {
    /// For an order that is going to be placed: whom it meets first, or whom it stands behind.
    @inline(__always)
    func approach(_ side: Side, _ price: Int64?) {
        let (own, opposite) = (book(side), book(side.opposite))
        let bestKey = opposite.pointee.bestKey
        if price.map({ $0 ^ opposite.pointee.mask >= bestKey }) ?? true {
            if let level = opposite.pointee.place(inWindow: bestKey) { diboas_prefetch(slot(level.pointee.head)) }
        } else if let price, let level = own.pointee.place(inWindow: price ^ own.pointee.mask) {
            diboas_prefetch(slot(level.pointee.tail))
        }
    }
}
