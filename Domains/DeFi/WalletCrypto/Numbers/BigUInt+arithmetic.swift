extension BigUInt {
    /// The sum.
    public static func + (left: BigUInt, right: BigUInt) -> BigUInt {
        let (long, short) = left.limbs.count >= right.limbs.count ? (left, right) : (right, left)
        var limbs = long.limbs
        var carry: UInt64 = 0
        for index in limbs.indices {
            guard index < short.limbs.count || carry > 0 else { break }
            carry += UInt64(limbs[index]) + (index < short.limbs.count ? UInt64(short.limbs[index]) : 0)
            limbs[index] = UInt32(truncatingIfNeeded: carry)
            carry >>= 32
        }
        if carry > 0 { limbs.append(UInt32(carry)) }
        return BigUInt(limbs: limbs)
    }

    /// The difference; the caller guarantees that it isn't negative.
    public static func - (left: BigUInt, right: BigUInt) -> BigUInt {
        precondition(left >= right, "a natural number below zero")
        var limbs = left.limbs
        var borrow: Int64 = 0
        for index in limbs.indices {
            let digit = Int64(limbs[index]) - (index < right.limbs.count ? Int64(right.limbs[index]) : 0) + borrow
            limbs[index] = UInt32(truncatingIfNeeded: digit)
            borrow = digit >> 32
        }
        return BigUInt(limbs: limbs)
    }

    /// The product.
    public static func * (left: BigUInt, right: BigUInt) -> BigUInt {
        guard !left.isZero, !right.isZero else { return .zero }
        var limbs = [UInt32](repeating: 0, count: left.limbs.count + right.limbs.count)
        for (offset, factor) in left.limbs.enumerated() {
            var carry: UInt64 = 0
            for (index, limb) in right.limbs.enumerated() {
                carry += UInt64(factor) * UInt64(limb) + UInt64(limbs[offset + index])
                limbs[offset + index] = UInt32(truncatingIfNeeded: carry)
                carry >>= 32
            }
            limbs[offset + right.limbs.count] = UInt32(carry)
        }
        return BigUInt(limbs: limbs)
    }

    /// The quotient, rounded down; the caller guarantees a divisor above 0.
    public static func / (left: BigUInt, right: BigUInt) -> BigUInt {
        left.quotientAndRemainder(dividingBy: right).quotient
    }

    /// The quotient, rounded up; the caller guarantees a divisor above 0.
    public func dividedRoundingUp(by divisor: BigUInt) -> BigUInt {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder.isZero ? quotient : quotient + .one
    }

    /// The quotient rounded to the nearest, a half to the even one; the caller guarantees a divisor above 0.
    public func dividedRoundingHalfEven(by divisor: BigUInt) -> BigUInt {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        let twice = remainder + remainder
        let isOdd = (quotient.limbs.first ?? 0) & 1 == 1
        return twice > divisor || (twice == divisor && isOdd) ? quotient + .one : quotient
    }

    /// Quotient and remainder; the caller guarantees a divisor above 0.
    public func quotientAndRemainder(dividingBy divisor: BigUInt) -> (quotient: BigUInt, remainder: BigUInt) {
        precondition(!divisor.isZero, "a division by zero")
        guard self >= divisor else { return (.zero, self) }
        if divisor.limbs.count == 1 {
            let (quotient, remainder) = dividedBySmall(divisor.limbs[0])
            return (quotient, BigUInt(remainder))
        }
        return dividedByLong(divisor)
    }

    func dividedBySmall(_ divisor: UInt32) -> (quotient: BigUInt, remainder: UInt32) {
        var limbs = limbs
        var rest: UInt64 = 0
        for index in limbs.indices.reversed() {
            rest = rest << 32 | UInt64(limbs[index])
            limbs[index] = UInt32(rest / UInt64(divisor))
            rest %= UInt64(divisor)
        }
        return (BigUInt(limbs: limbs), UInt32(rest))
    }

    /// The largest number whose square isn't above this one, by Newton's iteration from above.
    public var squareRoot: BigUInt {
        guard !isZero else { return .zero }
        var root = BigUInt.one.shiftedLeft((bitWidth + 1) / 2)
        while true {
            let next = (root + self / root).dividedBySmall(2).quotient
            guard next < root else { return root }
            root = next
        }
    }

    // Knuth, The Art of Computer Programming, volume 2, §4.3.1, algorithm D.
    private func dividedByLong(_ divisor: BigUInt) -> (quotient: BigUInt, remainder: BigUInt) {
        let shift = divisor.limbs[divisor.limbs.count - 1].leadingZeroBitCount
        let v = divisor.shiftedLeft(shift).limbs
        var u = shiftedLeft(shift).limbs
        while u.count <= limbs.count { u.append(0) }
        let n = v.count
        var quotient = [UInt32](repeating: 0, count: u.count - n)
        for place in quotient.indices.reversed() {
            let top = UInt64(u[place + n]) << 32 | UInt64(u[place + n - 1])
            var guess = top / UInt64(v[n - 1])
            var rest = top % UInt64(v[n - 1])
            while guess >> 32 != 0 || guess * UInt64(v[n - 2]) > rest << 32 | UInt64(u[place + n - 2]) {
                guess -= 1
                rest += UInt64(v[n - 1])
                if rest >> 32 != 0 { break }
            }
            if Self.subtract(v, times: guess, from: &u, at: place) {
                guess -= 1
                Self.add(v, to: &u, at: place)
            }
            quotient[place] = UInt32(truncatingIfNeeded: guess)
        }
        return (BigUInt(limbs: quotient), BigUInt(limbs: Array(u[..<n])).shiftedRight(shift))
    }

    // Whether the result would be below zero, which leaves a borrow on the top limb.
    private static func subtract(_ v: [UInt32], times guess: UInt64, from u: inout [UInt32], at place: Int) -> Bool {
        var carry: UInt64 = 0
        var borrow: Int64 = 0
        for index in v.indices {
            carry += guess * UInt64(v[index])
            let digit = Int64(u[place + index]) - Int64(carry & 0xFFFF_FFFF) + borrow
            u[place + index] = UInt32(truncatingIfNeeded: digit)
            borrow = digit >> 32
            carry >>= 32
        }
        let digit = Int64(u[place + v.count]) - Int64(carry) + borrow
        u[place + v.count] = UInt32(truncatingIfNeeded: digit)
        return digit < 0
    }

    private static func add(_ v: [UInt32], to u: inout [UInt32], at place: Int) {
        var carry: UInt64 = 0
        for index in v.indices {
            carry += UInt64(u[place + index]) + UInt64(v[index])
            u[place + index] = UInt32(truncatingIfNeeded: carry)
            carry >>= 32
        }
        u[place + v.count] &+= UInt32(carry)
    }

    /// Two to that power times the number; the caller guarantees a shift that isn't negative.
    func shiftedLeft(_ bits: Int) -> BigUInt {
        let small = UInt32(bits % 32)
        var result = [UInt32](repeating: 0, count: bits / 32)
        var carry: UInt32 = 0
        for limb in limbs {
            result.append(limb << small | carry)
            carry = small == 0 ? 0 : limb >> (32 - small)
        }
        result.append(carry)
        return BigUInt(limbs: result)
    }

    private func shiftedRight(_ bits: Int) -> BigUInt {
        guard bits > 0 else { return self }
        let small = UInt32(bits)
        return BigUInt(
            limbs: limbs.indices.map { index in
                limbs[index] >> small | (index + 1 < limbs.count ? limbs[index + 1] << (32 - small) : 0)
            }
        )
    }
}
