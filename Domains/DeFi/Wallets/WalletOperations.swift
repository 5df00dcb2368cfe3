import DomainKit
import HTTP
public import Kernel
import PostgreSQL
import WalletCrypto

/// What operators do with wallets.
public struct WalletOperations: Sendable {
    /// Wallets of one answer at most.
    public static let listMax = 500

    let parts: WalletParts
    let runtime: DomainRuntime
    let ids: IDGenerator

    /// Wallets, newest first: of one user or of all, revoked ones only if asked for.
    public func list(of user: ID<User>?, includingRevoked: Bool, limit: Int) async throws -> [JSON] {
        let rows = try await runtime.pool.query(
            """
            select \(Wallet.columns) from \(runtime.schema).wallets w
            where (\(user)::uuid is null or w.user_id = \(user)::uuid)
                and (\(includingRevoked) or w.status <> 'revoked')
            order by w.id desc limit \(min(max(limit, 1), WalletOperations.listMax))
            """
        )
        return try rows.map { row in
            let wallet = try Wallet(row)
            guard case .object(let members) = wallet.json() else { return .null }
            return .object([JSON.Member("user", .string(wallet.user.wire))] + members)
        }
    }

    /// A wallet with what came and went, and its challenges.
    ///
    /// - Throws: 404.
    public func show(_ id: String) async throws -> JSON {
        let wallet = try await wallet(id)
        let totals = try await WalletTotals.of(wallet.id, in: runtime.schema, runtime.pool)
        let proofs = try await runtime.pool.query(
            """
            select id, purpose, issued_at, consumed_at, outcome from \(runtime.schema).wallet_challenges
            where account = \(wallet.account.description) order by id desc limit 20
            """
        )
        let challenges = try proofs.map { row -> JSON in
            let (id, consumed): (ID<Challenge>, Timestamp?) = (try row["id"], try row["consumed_at"])
            let (outcome, issued): (String?, Timestamp) = (try row["outcome"], try row["issued_at"])
            return [
                "id": .string(id.wire), "purpose": .string(try row["purpose"]),
                "issued_at": .string(issued.description),
                "consumed_at": consumed.map { .string($0.description) } ?? .null,
                "outcome": outcome.map { .string($0) } ?? .null,
            ]
        }
        return [
            "user": .string(wallet.user.wire), "wallet": wallet.json(totals), "challenges": .array(challenges),
        ]
    }

    /// Revokes a user's wallet.
    ///
    /// - Throws: 404, 409 `wallet_revoked`.
    public func revoke(_ id: String, because reason: String, by operator: String) async throws {
        let initiator = Initiator(
            system: "operator:\(`operator`)",
            correlation: ids.next(Wallet.self).value
        )
        _ = try await parts.links.revoke(try await wallet(id), because: reason, by: initiator)
    }

    /// The addresses that a user pays to.
    public func addresses(of user: ID<User>) async throws -> [JSON] { try await parts.book.list(of: user).map(\.json) }

    private func wallet(_ id: String) async throws -> Wallet {
        guard let id = ID<Wallet>(wire: id), let wallet = try await parts.wallets.find(id) else {
            throw Problem.notFound
        }
        return wallet
    }
}
