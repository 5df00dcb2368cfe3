public import Kernel

extension Money {
    /// Reads an amount above zero from a request.
    ///
    /// - Throws: 400 with the fault at `pointer`: an `AmountError`'s code, or `not_positive`.
    public init(positive text: String, _ asset: Asset, at pointer: String) throws(Problem) {
        do throws(AmountError) {
            try self.init(wire: text, asset)
        } catch {
            throw Problem.malformed(error.rawValue, in: pointer)
        }
        guard minorUnits > 0 else { throw Problem.malformed("not_positive", in: pointer) }
    }
}
