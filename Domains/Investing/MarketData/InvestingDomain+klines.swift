import Kernel

extension InvestingDomain {
    /// Makes klines anew from the trades, of one market or of all; how many each has then.
    ///
    /// The process that writes may go on meanwhile; afterwards it reads those under way.
    ///
    /// - Throws: 404 `market_not_found`; 503 `no_writer`: then the klines are made, and the writer has its own count.
    public func rebuildKlines(
        of symbol: String? = nil,
        by operator: String
    ) async throws -> [(symbol: String, klines: Int)] {
        let wanted: [StoredMarket]
        if let symbol {
            wanted = [try await marketData.markets.market(symbol)]
        } else {
            wanted = try await marketData.markets.all()
        }
        var made: [(symbol: String, klines: Int)] = []
        for stored in wanted {
            made.append((stored.market.symbol, try await marketData.klines.rebuild(stored.market)))
        }
        _ = try await operations.ask(.readKlines, .object([]), by: `operator`)
        return made
    }
}
