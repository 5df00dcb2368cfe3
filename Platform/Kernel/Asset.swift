/// A kind of money: its code and how many decimals one unit has.
public struct Asset: Hashable, Sendable {
    /// The code on the wire and in the database, upper case: `USD`, `USDC`.
    public let code: String
    /// Decimals of one unit, 0 to 18: amounts are counted in 10^-scale of it.
    public let scale: Int

    private init(_ code: String, scale: Int) {
        (self.code, self.scale) = (code, scale)
    }

    /// US dollar, in cents.
    public static let usd = Asset("USD", scale: 2)
    /// Euro, in cents.
    public static let eur = Asset("EUR", scale: 2)
    /// USD Coin, in millionths.
    public static let usdc = Asset("USDC", scale: 6)
    /// Tether, in millionths.
    public static let usdt = Asset("USDT", scale: 6)
    /// Bitcoin, in satoshi.
    public static let btc = Asset("BTC", scale: 8)
    /// Ether, in wei.
    public static let eth = Asset("ETH", scale: 18)
    /// Solana, in lamports.
    public static let sol = Asset("SOL", scale: 9)
    /// Sui, in MIST.
    public static let sui = Asset("SUI", scale: 9)

    /// Every asset of the platform, in the order in which answers list them.
    public static let all: [Asset] = [usd, eur, usdc, usdt, btc, eth, sol, sui]

    private static let byCode = Dictionary(uniqueKeysWithValues: all.map { ($0.code, $0) })

    /// The asset with that exact code, or nil.
    public init?(code: String) {
        guard let asset = Asset.byCode[code] else { return nil }
        self = asset
    }
}

extension Asset: CustomStringConvertible {
    /// The code.
    public var description: String { code }
}
