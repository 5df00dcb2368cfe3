import HTTP
import Kernel
import Messaging
import PostgreSQL

/// Keeps what DeFi tells of the customers' wallets, and hands its other events on.
final class OwnWallets: InboxHandler {
    private let schema: Schema
    private let pool: Pool
    private let clock: any WallClock
    private let others: (any InboxHandler)?

    /// `others` handles DeFi's other events.
    init(schema: Schema, pool: Pool, clock: any WallClock, others: (any InboxHandler)?) {
        (self.schema, self.pool, self.clock, self.others) = (schema, pool, clock, others)
    }

    /// The CAIP-10 of a wallet that the customer has proven to have the key of.
    ///
    /// - Throws: 404 for another customer's or none, 422 `wallet_not_verified`.
    func account(of wallet: ID<OwnWallet>, for user: ID<User>) async throws -> String {
        let rows = try await pool.query(
            "select account, is_proven from \(schema).own_wallets where id = \(wallet) and user_id = \(user)"
        )
        guard let row = rows.first else { throw Problem.notFound }
        guard try row["is_proven"] else {
            throw Problem(422, "wallet_not_verified", "Verify this wallet first, or name another one.")
        }
        return try row["account"]
    }

    func attemptsMax(for type: String) -> Int { others?.attemptsMax(for: type) ?? 3 }

    func handle(_ event: InboxEvent) async throws -> InboxDisposition {
        guard event.type.hasPrefix("defi.wallet.") else {
            return try await others?.handle(event) ?? .ignored("an event of type \(event.type)")
        }
        let wallet: OwnWallet
        do { wallet = try OwnWallet(event) } catch { return .dead("\(error)") }
        let rows: [any StoredRow] = [event.mark, wallet]
        let statements = rows.statements(in: schema, at: clock.now())
        try await pool.transact { _ in Closing((), last: statements) }
        return .processed
    }
}
