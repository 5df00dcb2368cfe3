import Foundation
import Kernel
import Testing

/// One of everything that a customer can have, by the prefix of its id (or by the parameter that names it).
enum Belongings {
    private static let symbol = "USDC-USDT"

    /// Makes them over the API, and in the data what would take a chain or a counterparty.
    static func make(for owner: Customer) async throws -> APIWalk.Objects {
        // A new market takes a moment to be served.
        var objects = try await investing(owner)
        objects.merge(try await banking(owner)) { $1 }
        objects.merge(try await defi(owner)) { $1 }
        let key = try await owner.post(
            "/v1/me/api-keys",
            ["label": "bot", "algorithm": "hmac_sha256", "scopes": ["read"]]
        )
        objects["key"] = try text(key, "id")
        let sessions = try await owner.get("/v1/me/sessions")
        objects["ses"] = try #require(sessions.json["data"]?.elements?.first?["id"]?.stringValue)
        objects["kyc"] = try await application(owner)
        objects.merge(try await stored(owner, objects)) { $1 }
        return objects
    }

    /// An application to be identified, with a passport.
    private static func application(_ owner: Customer) async throws -> String {
        let opened = try await owner.post(
            "/v1/me/identity/applications",
            [
                "level": "full", "legal_name": "Owner Owens", "birth_date": "1990-01-02", "nationality": "PT",
                "address": "Rua 1",
            ]
        )
        let id = try text(opened, "id")
        let path = "/v1/me/identity/applications/\(id)/documents/passport"
        let headers = [("Content-Type", "application/octet-stream")]
        let added = try await owner.send("PUT", path, body: [0xFF, 0xD8, 0xFF, 0xE0, 0x01], headers: headers)
        return try text(added, "id")
    }

    private static func banking(_ owner: Customer) async throws -> APIWalk.Objects {
        let transaction = try await owner.deposit()
        let coins = try await owner.post(
            "/v1/banking/deposits",
            ["amount": "100.00", "asset": "USDC"],
            key: UUID().uuidString
        )
        try await owner.wait("/v1/banking/transactions/\(try text(coins, "id"))", until: ["completed"])
        let transfer = try await owner.post(
            "/v1/banking/transfers",
            ["amount": "5.00", "asset": "USD", "to": "investing"],
            key: UUID().uuidString
        )
        let other = try await owner.post(
            "/v1/banking/transfers",
            ["amount": "5.00", "asset": "USDC", "to": "defi"],
            key: UUID().uuidString
        )
        try await owner.wait("/v1/banking/transfers/\(try text(transfer, "id"))", until: ["completed"])
        try await owner.wait("/v1/banking/transfers/\(try text(other, "id"))", until: ["completed"])
        return [
            "/v1/defi/transfers/{id}": try text(other, "id"), "txn": transaction,
            "bac": try await owner.link("wire", token: "tok_ok"),
            "xfer": try text(transfer, "id"),
        ]
    }

    private static func investing(_ owner: Customer) async throws -> APIWalk.Objects {
        let made = try await owner.server.command(
            "investing",
            "markets",
            "create",
            symbol,
            "--tick",
            "0.0001",
            "--lot",
            "0.01"
        )
        #expect(made.status == 0, "\(made.errors)")
        let account = try await owner.post("/v1/investing/accounts", ["type": "brokerage"])
        let portfolio = try await owner.post(
            "/v1/investing/portfolios",
            ["name": "Mine", "cash": "USDT", "targets": []]
        )
        return [
            "tacc": try text(account, "id"),
            "pf": try text(portfolio, "id"),
        ]
    }

    private static func defi(_ owner: Customer) async throws -> APIWalk.Objects {
        let account: JSON = ["account": "eip155:1:0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045", "label": "Mine"]
        return [
            "wlt": try text(try await owner.post("/v1/defi/wallets", account), "id"),
            "adr": try text(try await owner.post("/v1/defi/address-book", account), "id"),
        ]
    }

    /// Rows that stand for what another party has to take part in.
    private static func stored(_ owner: Customer, _ objects: APIWalk.Objects) async throws -> APIWalk.Objects {
        let ids = IDGenerator()
        func uuid(_ kind: String) throws -> String {
            let wire = "usr_" + (objects[kind] ?? "").dropFirst(kind.count + 1)
            return try #require(ID<User>(wire: wire)).description
        }
        let kinds = ["itx", "reb", "ord", "olist", "stg", "int", "dep", "wdr"]
        let made = Dictionary(uniqueKeysWithValues: kinds.map { ($0, ids.next(User.self)) })
        func id(_ kind: String) -> String { made[kind]?.description ?? "" }
        let (user, account) = (try owner.uuid, try uuid("tacc"))
        let (wallet, portfolio) = (try uuid("wlt"), try uuid("pf"))
        let address = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"
        try await owner.server.sql(
            """
            set session_replication_role = replica;
            insert into investing.transactions (id, user_id, account, type, market, side, amount, expected, fee, lots,
                quote, bound, status, created_at, expires_at)
            values ('\(id("itx"))', '\(user)', '\(account)', 'buy', 1, 'buy', 1, 1, 0, 1, 1, 1, 'quoted', now(),
                now() + interval '1 hour');
            insert into investing.orders (id, account, market, client_order_id, list, side, type, time_in_force,
                is_post_only, self_trade_prevention, price, quantity, status, remaining, maker_rate, taker_rate,
                fee_schedules, reservation, number, priority, version, created_at, updated_at, ended_at)
            values ('\(id("ord"))', '\(account)', 1, 'mine', '\(id("olist"))', 'buy', 'limit', 'gtc', false,
                'expire_taker', 1, 1, 'canceled', 1, 0, 0, '[]', '\(id("ord"))', 1, 1, 1, now(), now(), now());
            insert into investing.rebalances (id, portfolio, cause, status, value, drift_before, cash_kept,
                leased_until, created_at, ended_at)
            values ('\(id("reb"))', '\(portfolio)', 'manual', 'completed', 0, 0, 0, now(), now(), now());
            insert into defi.strategies (id, user_id, wallet, chain, address, offer, asset, status, created_at,
                updated_at)
            values ('\(id("stg"))', '\(user)', '\(wallet)', 'eip155:31337', '\(address)', 'x', 'USDC', 'stopped',
                now(), now());
            insert into defi.intents (id, user_id, wallet, chain, address, kind, asset, amount, nonce, recipient, value,
                calldata, gas_limit, max_fee, tip, signing_hash, summary, state, version, created_at, expires_at,
                updated_at)
            values ('\(id("int"))', '\(user)', '\(wallet)', 'eip155:31337', '\(address)', 'transfer', 'USDC', 1, 0,
                '\(address)', 0, '',
                21000, 1, 0, sha256(''), '{}', 'built', 1, now(), now() + interval '1 hour', now());
            insert into defi.custody_deposits (id, user_id, chain, hash, place, sender, asset, amount, required, state,
                version, created_at, updated_at)
            values ('\(id("dep"))', '\(user)', 'eip155:31337', sha256('dep'), 0, '\(address)', 'USDC', 1, 1, 'lost', 1,
                now(), now());
            insert into defi.custody_withdrawals (id, user_id, chain, recipient, asset, amount, fee, required,
                reservation, state, version, created_at, updated_at)
            values ('\(id("wdr"))', '\(user)', 'eip155:31337', '\(address)', 'USDC', 1, 0, 1, '\(id("wdr"))',
                'cancelled', 1, now(), now());
            """
        )
        return made.reduce(into: ["client_order_id": "mine"]) { $0[$1.key] = $1.key + $1.value.wire.dropFirst(3) }
    }

    private static func text(_ answer: Answer, _ name: String) throws -> String {
        try #require((200..<300).contains(answer.status), "\(answer.readable)")
        return answer.text(name)
    }
}
