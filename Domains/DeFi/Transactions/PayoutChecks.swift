import Compliance
import DomainKit
import HTTP
import Kernel
import PostgreSQL
import WalletCrypto

/// Asks compliance about money that goes to an address: from custody, and from wallets of customers' own.
struct PayoutChecks: Sendable {
    let schema: Schema
    let pool: Pool
    let screening: any AddressScreening

    /// Who gets what a customer sends to an address: the customer, where the wallet is proven, else whom the request
    /// names.
    func destination(
        _ account: AccountID,
        for user: ID<User>,
        named beneficiary: MoneyMovement.Beneficiary
    ) async throws -> MoneyMovement.Destination {
        let rows = try await pool.query(
            """
            select 1 from \(schema).wallets
            where user_id = \(user) and account = \(account.description) and status = 'verified'
            """
        )
        return MoneyMovement.Destination(account: account.description, rows.isEmpty ? beneficiary : .customer)
    }

    /// Lets money go to somebody else's address that compliance holds nothing against; to an own wallet it may always
    /// go, as far as its address may be paid.
    ///
    /// - Throws: 422 `identification_required`, `level_limit`, `names_required`, `movement_refused` or
    ///   `movement_in_review`; 503 `checks_unavailable`.
    func requireApproved(
        _ amount: Money,
        to account: AccountID,
        named beneficiary: MoneyMovement.Beneficiary,
        for user: ID<User>,
        subject: UInt128
    ) async throws {
        let destination = try await destination(account, for: user, named: beneficiary)
        guard destination.beneficiary != .customer else { return }
        let payout = Payout(subject: subject, user: user, amount: amount, to: destination)
        if let refusal = try await screening.screen(payout).refusal { throw refusal }
    }

    /// The checks of who pays to the addresses of a book.
    init(_ book: AddressBook) {
        (schema, pool, screening) = (book.runtime.schema, book.runtime.pool, book.screening)
    }

    /// What compliance refuses payouts with, for the documentation of routes.
    static let refusals = ["identification_required", "level_limit", "names_required", "movement_refused"]

    /// The members by which a request names who gets the money.
    static let members: [JSONSchema.Property] = [
        .optional(
            "beneficiary",
            .text(1...140),
            "Who gets it, by name, where it isn't your own proven wallet; needed from the amount on that is told."
        ),
        .optional(
            "beneficiary_host",
            .text(1...140),
            "The service that keeps the address for the beneficiary; without it they keep it themselves."
        ),
    ]

    /// Whom a request names.
    static func beneficiary(in body: JSON) -> MoneyMovement.Beneficiary {
        .other(name: body["beneficiary"]?.stringValue, host: body["beneficiary_host"]?.stringValue)
    }
}
