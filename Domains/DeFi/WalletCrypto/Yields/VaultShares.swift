/// What an ERC-4626 vault would give, rounded in its own favour, with OpenZeppelin's virtual shares.
public struct VaultShares: Hashable, Sendable {
    /// What the vault has, in the asset's smallest units.
    public let totalAssets: BigUInt
    /// The shares there are.
    public let totalSupply: BigUInt
    private let virtualShares: BigUInt

    /// A vault's totals; the caller guarantees a decimals offset in 0...36.
    public init(totalAssets: BigUInt, totalSupply: BigUInt, decimalsOffset: Int) {
        precondition((0...36).contains(decimalsOffset), "a decimals offset outside 0...36")
        (self.totalAssets, self.totalSupply) = (totalAssets, totalSupply)
        virtualShares = BigUInt.powerOfTen(decimalsOffset)
    }

    /// The shares for depositing assets, rounded down.
    public func deposit(_ assets: BigUInt) -> BigUInt { assets * shareTotal / assetTotal }

    /// The shares that withdrawing assets burns, rounded up.
    public func withdraw(_ assets: BigUInt) -> BigUInt { (assets * shareTotal).dividedRoundingUp(by: assetTotal) }

    /// The assets that minting shares costs, rounded up.
    public func mint(_ shares: BigUInt) -> BigUInt { (shares * assetTotal).dividedRoundingUp(by: shareTotal) }

    /// The assets for redeeming shares, rounded down.
    public func redeem(_ shares: BigUInt) -> BigUInt { shares * assetTotal / shareTotal }

    private var shareTotal: BigUInt { totalSupply + virtualShares }
    private var assetTotal: BigUInt { totalAssets + .one }
}
