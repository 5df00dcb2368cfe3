extension SeededRandom {
    /// Bytes with one of the changes that transport, malice and bad memory make: a bit turned, a byte replaced, put in,
    /// taken out or swapped, cut off, said twice, or broken UTF-8 within.
    public mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        let place = bytes.isEmpty ? 0 : below(bytes.count)
        switch below(8) {
        case 0 where !bytes.isEmpty: bytes[place] ^= 1 << UInt8(below(8))
        case 1 where !bytes.isEmpty: bytes[place] = self.bytes(1)[0]
        case 2: bytes.removeLast(bytes.count - place)
        case 3: bytes.insert(self.bytes(1)[0], at: place)
        case 4 where !bytes.isEmpty: bytes.remove(at: place)
        case 5: bytes += bytes[place...]
        case 6: bytes.insert(contentsOf: [0xC3, 0x28, 0xED, 0xA0, 0x80, 0xFF], at: place)
        default: if bytes.count > 1 { bytes.swapAt(place, bytes.count - 1 - place) }
        }
        return bytes
    }

    /// Bytes after one to three changes.
    public mutating func changed(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...below(3) { bytes = mutated(bytes) }
        return bytes
    }
}
