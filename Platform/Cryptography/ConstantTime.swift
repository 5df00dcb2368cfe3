/// Comparison whose duration says nothing about the contents.
public enum ConstantTime {
    /// Whether two byte strings are equal.
    ///
    /// The time depends on the lengths alone; different lengths are unequal at once.
    @inline(never)
    public static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
    }
}
