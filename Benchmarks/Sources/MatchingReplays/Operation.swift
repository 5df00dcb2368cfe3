import MatchingEngine

/// One operation of a file: 32 bytes in memory as in the file.
struct Operation {
    enum Kind: UInt8 {
        case limit = 0
        case market = 1
        case cancel = 2
        case amend = 3
    }

    var kind: Kind
    /// 0 buy, 1 sell.
    var side: UInt8
    /// 0 GTC, 1 IOC, 2 FOK.
    var timeInForce: UInt8
    /// Bit 0 post-only, bits 1 to 3 the self-trade prevention mode.
    var flags: UInt8
    var symbol: UInt16
    var owner: UInt16
    var id: UInt64
    var price: Int64
    var quantity: Int64

    init(
        kind: Kind,
        side: Side = .buy,
        timeInForce: TimeInForce = .gtc,
        flags: UInt8 = 0,
        symbol: Int,
        owner: Int = 0,
        id: UInt64,
        price: Int64 = 0,
        quantity: Int64 = 0
    ) {
        (self.kind, self.side, self.timeInForce) = (kind, side.rawValue, timeInForce.rawValue)
        (self.flags, self.symbol, self.owner) = (flags, UInt16(symbol), UInt16(owner))
        (self.id, self.price, self.quantity) = (id, price, quantity)
    }

    /// Reads an operation.
    ///
    /// What its type doesn't use isn't looked at.
    init(_ bytes: UnsafeRawBufferPointer, at offset: Int, _ index: Int) throws {
        guard let kind = Kind(rawValue: bytes[offset]) else { throw WorkloadError.kind(index, bytes[offset]) }
        (self.kind, side, timeInForce, flags) = (kind, bytes[offset + 1], bytes[offset + 2], bytes[offset + 3])
        symbol = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt16.self))
        owner = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 6, as: UInt16.self))
        id = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
        price = Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 16, as: Int64.self))
        quantity = Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 24, as: Int64.self))
        guard kind == .limit || kind == .market else { return }
        guard side <= 1 else { throw WorkloadError.side(index, side) }
        guard timeInForce <= 2 else { throw WorkloadError.timeInForce(index, timeInForce) }
        guard flags >> 1 & 7 <= 4 else { throw WorkloadError.mode(index, flags >> 1 & 7) }
    }

    var isPostOnly: Bool { flags & 1 != 0 }

    @inline(__always)
    var mode: SelfTradePrevention { SelfTradePrevention(rawValue: flags &>> 1 & 7) ?? .none }

    /// The order that a limit or market operation places.
    @inline(__always)
    var order: NewOrder {
        NewOrder(
            number: id,
            owner: UInt32(owner),
            side: side == 0 ? .buy : .sell,
            type: kind == .limit ? .limit : .market,
            timeInForce: TimeInForce(rawValue: timeInForce) ?? .gtc,
            isPostOnly: isPostOnly,
            selfTradePrevention: mode,
            price: kind == .limit ? price : nil,
            quantity: quantity
        )
    }

    mutating func force(_ mode: SelfTradePrevention) { flags = flags & ~0b1110 | mode.rawValue << 1 }
}
