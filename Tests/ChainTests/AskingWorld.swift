import HTTP
import Kernel
import PostgreSQL
import WalletCrypto

@testable import DeFi

/// Somebody who has an account with us.
protocol Customer: Sendable {
    var user: ID<User> { get }
}

/// A world of a chain where people have wallets and ask the API.
protocol AskingWorld: Sendable {
    associatedtype Person: Customer

    var pool: Pool { get }
    var ids: IDGenerator { get }
    var api: API { get }
    /// Which chain it is, and its name (CAIP-2).
    var home: (chain: Chain, name: String) { get }
}

extension AskingWorld {
    typealias Answer = (status: Int, json: JSON)

    /// What the API answers somebody; every change has a key of its own unless one is given.
    func ask(
        _ method: String,
        _ path: String,
        by person: Person,
        _ body: JSON? = nil,
        key: String? = nil
    ) async throws -> Answer {
        var headers: Headers = ["Authorization": "Bearer \(person.user.wire)"]
        if method == "POST" || body != nil {
            headers.append("Idempotency-Key", key ?? ids.next(Intent.self).description)
        }
        if body != nil { headers.append("Content-Type", "application/json") }
        let response = await api.respond(method, path, headers: headers, body: body?.serialized() ?? [])
        return (response.status, response.json)
    }

    /// Has an address be somebody's proven wallet.
    func prove(_ wallet: ID<Wallet>, at address: String, of person: Person) async throws {
        let (chain, account) = (home.chain, "\(home.name):\(address)")
        let (user, proof): (ID<User>, UInt128) = (person.user, ids.next(Intent.self).value)
        let challenge: SQL = """
            insert into defi.wallet_challenges (id, nonce, purpose, user_id, account, domain, uri, form, message,
                issued_at, expires_at, consumed_at, outcome, signature)
            values (\(proof), \("n\(proof)aaaaaaaaaaaaaaaaaaaaaa"), 'link_wallet', \(user), \(account), 'test', 'test',
                'text', 'test', now(), now() + interval '5 minutes', now(), 'verified', '0x')
            """
        let proven: SQL = """
            insert into defi.wallets (id, user_id, chain, network, account, address, type, label, status, proof,
                verified_at, created_at, updated_at)
            values (\(wallet), \(user), \(chain), 'local', \(account), \(address), 'hot', 'Test', 'verified', \(proof),
                now(), now(), now())
            """
        try await pool.withTransaction { transaction in
            _ = try await transaction.query(challenge)
            _ = try await transaction.query(proven)
        }
    }

    /// Puts an address into somebody's address book, opened at once or in a day.
    func know(_ address: String, by person: Person, isOpen: Bool = true) async throws {
        let (account, delay) = ("\(home.name):\(address)", isOpen ? 0.0 : 86_400.0)
        _ = try await pool.query(
            """
            insert into defi.address_book (id, user_id, chain, network, account, address, label, opens_at, screening,
                created_at, updated_at)
            values (\(ids.next(AddressEntry.self)), \(person.user), \(home.chain), 'local', \(account), \(address),
                'Somebody', now() + make_interval(secs => \(delay)), '{}', now(), now())
            """
        )
    }

    /// The same of an account of Ethereum.
    func know(_ address: EthereumAddress, by person: Person, isOpen: Bool = true) async throws {
        try await know(address.description, by: person, isOpen: isOpen)
    }
}
