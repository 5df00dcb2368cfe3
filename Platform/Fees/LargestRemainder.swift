/// Splits a total into whole minor units that follow exact parts and sum to it (Hamilton's method).
enum LargestRemainder {
    /// An exact part: `whole + remainder / denominator`, the denominator being the same for all parts and above every
    /// remainder.
    struct Part {
        /// The part rounded down; negative for one that has had more than its share already.
        let whole: Int128
        /// What rounding down left over.
        let remainder: UInt128
    }

    /// Each part rounded down, then the units that are missing go one each to the largest remainders; ties to the
    /// first.
    ///
    /// A negative part gets nothing; should the others then come to more than the total, units are taken back one
    /// each where the remainder is smallest. The caller guarantees that the total is not negative and less than one
    /// unit from the parts' sum.
    static func split(_ total: Int128, by parts: [Part]) -> [Int128] {
        var shares = parts.map { max(0, $0.whole) }
        var missing = total - shares.reduce(0, +)
        precondition(total >= 0 && missing <= Int128(parts.count), "a total that its parts don't come to")
        if missing == 0 { return shares }
        let byNeed = parts.indices.sorted { left, right in
            let (first, second) = (min(0, parts[left].whole), min(0, parts[right].whole))
            if first != second { return first > second }
            if parts[left].remainder != parts[right].remainder { return parts[left].remainder > parts[right].remainder }
            return left < right
        }
        for index in byNeed where missing > 0 {
            shares[index] += 1
            missing -= 1
        }
        // While units are missing in this direction the shares exceed a total of at least zero, so one of them is
        // above zero.
        while missing < 0 {
            for index in byNeed.reversed() where missing < 0 && shares[index] > 0 {
                shares[index] -= 1
                missing += 1
            }
        }
        return shares
    }
}
