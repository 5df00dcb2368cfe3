/// What leaves a customer, added up.
struct Outflow: Sendable, Hashable {
    /// Its worth, in hundredths of a unit of account.
    var hundredths: Int128 = 0
    /// How many movements.
    var count = 0

    static func + (left: Outflow, right: Outflow) -> Outflow {
        Outflow(hundredths: left.hundredths + right.hundredths, count: left.count + right.count)
    }
}
