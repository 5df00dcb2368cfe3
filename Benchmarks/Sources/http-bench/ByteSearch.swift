import Glibc

extension Collection<UInt8> {
    /// Where some bytes come first, at an offset or after it; nil where they don't.
    ///
    /// The generic searches of the standard library cost the load generator more than an order costs the server.
    func offset(of bytes: StaticString, from start: Int = 0) -> Int? {
        let found = withContiguousStorageIfAvailable { buffer -> Int? in
            guard let base = buffer.baseAddress else { return nil }
            let (length, first) = (bytes.utf8CodeUnitCount, Int32(bytes.utf8Start.pointee))
            var offset = start
            while offset + length <= buffer.count,
                let place = memchr(base + offset, first, buffer.count - length - offset + 1)
            {
                if memcmp(place, bytes.utf8Start, length) == 0 {
                    return UnsafeRawPointer(place) - UnsafeRawPointer(base)
                }
                offset = UnsafeRawPointer(place) - UnsafeRawPointer(base) + 1
            }
            return nil
        }
        return found ?? nil
    }

    /// The decimal number that begins at an offset, as long as its digits go; nil where there is none.
    func number(at offset: Int) -> Int64? {
        let digits = dropFirst(offset).prefix { UInt8(ascii: "0") <= $0 && $0 <= UInt8(ascii: "9") }
        return digits.isEmpty ? nil : digits.reduce(0) { $0 &* 10 &+ Int64($1 - UInt8(ascii: "0")) }
    }
}
