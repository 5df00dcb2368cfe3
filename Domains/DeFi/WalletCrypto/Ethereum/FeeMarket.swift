/// The base fee of Ethereum's blocks (EIP-1559).
public enum FeeMarket {
    private static let changeDenominator = BigUInt(8)
    private static let elasticity: UInt64 = 2

    /// The base fee of the next block in wei per gas; the caller guarantees a gas limit of at least 2.
    public static func nextBaseFee(_ baseFee: BigUInt, gasUsed: UInt64, gasLimit: UInt64) -> BigUInt {
        let target = gasLimit / elasticity
        precondition(target > 0, "a block without gas")
        guard gasUsed != target else { return baseFee }
        let distance = BigUInt(gasUsed > target ? gasUsed - target : target - gasUsed)
        let change = baseFee * distance / BigUInt(target) / changeDenominator
        return gasUsed > target ? baseFee + max(change, .one) : baseFee - change
    }
}
