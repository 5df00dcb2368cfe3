import Cryptography
import HTTP
import Kernel
import Messaging
import PostgreSQL
import TestSupport
import Testing

@testable import Banking

extension RampProvider.Trade {
    /// The trade of the webhook that began a purchase.
    static func purchase(_ id: String, _ token: String, transaction: ID<BankTransaction>) -> Self? {
        Self(["purchase": ["id": .string(id), "purchaseViewToken": .string(token)]], of: transaction)
    }
}

/// Buying to and selling from wallets whose keys the customers have.
@Suite struct OwnWalletTradeTests {
    private static let address = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"
    private static let wallet = "eip155:1:" + address
    private let transaction: ID<BankTransaction> = IDGenerator().next()

    private func intent(_ amount: String, _ asset: Asset, at wallet: String = wallet) throws -> ProviderIntent {
        var intent = try ProviderIntent.new(amount, asset, of: transaction)
        intent.wallet = wallet
        return intent
    }

    private func url(_ answer: ProviderAnswer) throws -> (page: String, fields: [String]) {
        let parts = try #require(answer.action?["url"]?.stringValue).split(separator: "?", maxSplits: 1)
        return (String(parts[0]), parts[1].split(separator: "&").map(String.init))
    }

    @Test func `MoonPay's page for buying names the customer's wallet, signed`() async throws {
        let answer = await Providers.moonPay().createPurchase(try intent("0.5", .eth))
        let (page, fields) = try url(answer)
        #expect(page == "https://buy.moonpay.com" && answer.reference == transaction.wire)
        #expect(fields.contains("currencyCode=eth") && fields.contains("walletAddress=\(Self.address)"))
        #expect(fields.contains("quoteCurrencyAmount=\(try Money(wire: "0.5", .eth).wire)"))
        let query = "?" + fields.dropLast().joined(separator: "&")
        let code = Base64.encode(HMACSHA256.code(over: Array(query.utf8), key: Array("sk_test_key".utf8)))
        #expect(fields.last == "signature=" + Percent.encode(code))
    }

    @Test func `MoonPay's page for selling names where crypto goes back to`() async throws {
        let (page, fields) = try url(await Providers.moonPay().createSale(try intent("0.5", .eth)))
        #expect(page == "https://sell.moonpay.com")
        #expect(fields.contains("baseCurrencyCode=eth") && fields.contains("refundWalletAddress=\(Self.address)"))
        #expect(fields.contains("externalTransactionId=\(transaction.wire)"))
    }

    @Test func `Ramp's pages name the wallet, and the webhook that names the transaction`() async throws {
        let webhook = Percent.encode(
            "https://diboas.example/v1/webhooks/ramp/" + WebhookFixture.paths.part(for: transaction)
        )
        let (_, buying) = try url(await Providers.ramp().createPurchase(try intent("25", .usdc)))
        #expect(buying.contains("swapAsset=ETH_USDC") && buying.contains("swapAmount=25000000"))
        #expect(buying.contains("userAddress=\(Self.address)") && buying.contains("webhookStatusUrl=\(webhook)"))
        let (_, selling) = try url(await Providers.ramp().createSale(try intent("25", .usdc)))
        #expect(selling.contains("offrampAsset=ETH_USDC") && selling.contains("enabledFlows=OFFRAMP"))
        #expect(selling.contains("offrampWebhookV3Url=\(webhook)"))
    }

    @Test func `what a provider doesn't trade there is refused`() async throws {
        for other in [try intent("1", .usdt), try intent("0.5", .eth, at: "eip155:10:" + Self.address)] {
            for answer in [
                await Providers.moonPay().createPurchase(other), await Providers.moonPay().createSale(other),
                await Providers.ramp().createPurchase(other), await Providers.ramp().createSale(other),
            ] {
                #expect(answer == .refused(reason: "not_supported"))
            }
        }
        let wanted = try intent("0.5", .eth)
        #expect(await Providers.moonPay(hasWidget: false).createSale(wanted) == .refused(reason: "not_offered"))
        #expect(await Providers.ramp(hasWidget: false).createSale(wanted) == .refused(reason: "not_offered"))
        #expect(await Providers.stripe.createPurchase(wanted) == .refused(reason: "not_offered"))
    }

    @Test(arguments: [
        ("waitingForDeposit", ProviderEvent.State.confirming), ("pending", .processing), ("completed", .succeeded),
        ("failed", .failed),
    ])
    func `MoonPay's events of a sale have their meaning`(_ status: String, _ state: ProviderEvent.State) throws {
        let body: JSON = [
            "type": "sell_transaction_updated",
            "data": [
                "id": "s1", "status": .string(status), "updatedAt": "2026-11-20T18:40:00.000Z",
                "baseCurrency": ["code": "eth"], "baseCurrencyAmount": .number("0.5"),
                "quoteCurrencyAmount": .number("1500"),
                "depositHash": "0xfeed", "externalTransactionId": .string(transaction.wire),
            ],
        ]
        let event = try Providers.moonPay().event(body)
        #expect((event.state, event.transaction, event.chainHash) == (state, transaction, "0xfeed"))
        #expect(event.amount == (try Money(wire: "0.5", .eth)))
    }

    @Test func `the transaction on chain of a purchase is told`() throws {
        let body: JSON = [
            "type": "transaction_updated",
            "data": [
                "id": "b1", "status": "completed", "updatedAt": "2026-11-20T18:40:00.000Z",
                "currency": ["code": "eth"], "quoteCurrencyAmount": .number("0.5"), "cryptoTransactionId": "0xbeef",
                "externalTransactionId": .string(transaction.wire),
            ],
        ]
        #expect(try Providers.moonPay().event(body).chainHash == "0xbeef")
    }

    @Test func `open sales are asked after where each provider keeps them`() async throws {
        let sale: JSON = [
            "id": "s1", "status": "completed", "updatedAt": "2026-11-20T18:40:00.000Z",
            "baseCurrency": ["code": "eth"], "baseCurrencyAmount": .number("0.5"),
            "externalTransactionId": .string(transaction.wire),
        ]
        let released: JSON = [
            "id": "r1", "status": "RELEASED", "updatedAt": "2026-11-20T18:40:00.000Z", "cryptoAmount": "25000000",
            "asset": ["symbol": "USDC", "decimals": .integer(6)],
        ]
        func route(_ path: PathTemplate, _ id: String, _ more: [Parameter], _ answer: JSON) -> Route {
            Route(
                .get,
                path,
                operationID: id,
                summary: "",
                tag: "",
                access: .public,
                parameters: [.path("id", .anyString, "")] + more,
                responses: [200: ResponseShape("", .any)]
            ) { _ in .ok(answer) }
        }
        let peer = API.open([
            route("/v3/sell_transactions/ext/{id}", "moonpay", [], [sale]),
            route("/api/host-api/v3/offramp/sale/{id}", "ramp", [.query("secret", .anyString, "")], released),
        ])
        let begun: JSON = ["mode": "OFFRAMP", "payload": ["id": "r1", "saleViewToken": "view"]]
        let trade = try #require(RampProvider.Trade(begun, of: transaction))
        try await peer.serving { port in
            let url = "http://127.0.0.1:\(port)"
            let moonPay = Providers.moonPay(baseURL: url, sales: [transaction])
            let ramp = Providers.ramp(baseURL: url, open: [trade])
            let since = Timestamp(seconds: 0)
            let sold = try moonPay.event(try #require(try await moonPay.events(since: since).first))
            #expect((sold.state, sold.transaction) == (.succeeded, transaction))
            let paid = try ramp.event(try #require(try await ramp.events(since: since).first))
            #expect((paid.state, paid.transaction) == (.succeeded, transaction))
            #expect(paid.amount == (try Money(wire: "25", .usdc)))
        }
    }

    /// Banking's inbox, to which DeFi tells of a wallet.
    private final class Listener: Sendable {
        let wallets: OwnWallets
        let user: ID<User> = IDGenerator().next()
        let wallet: ID<OwnWallet> = IDGenerator().next()
        private let inbox: Inbox

        init(_ pool: Pool) {
            wallets = OwnWallets(schema: .banking, pool: pool, clock: SystemClock(), others: nil)
            inbox = Inbox(pool: pool, schema: .banking, ids: IDGenerator(), logger: .quiet)
        }

        func hear(_ status: String, _ version: Int64) async throws {
            let told: JSON = [
                "id": .string(wallet.wire), "account": .string(OwnWalletTradeTests.wallet), "status": .string(status),
                "version": .integer(version),
            ]
            let envelope: JSON = [
                "specversion": "1.0", "id": .string("e\(version)"), "source": "/diboas/defi",
                "type": .string("defi.wallet.\(status).v1"), "subject": .string(wallet.wire),
                "time": "2026-11-20T18:40:00.000000Z", "aggregatetype": "wallet",
                "sequence": .string(String(version)), "data": ["user": .string(user.wire), "wallet": told],
            ]
            let arrival = InboxArrival(
                source: "defi",
                eventID: "e\(version)",
                type: "defi.wallet.\(status).v1",
                body: envelope.serialized(),
                origin: .event
            )
            _ = try await inbox.put(arrival)
            let signal = WorkSignal(.inbox, of: .banking)
            try await InboxWorker(inbox: inbox, handlers: ["defi": wallets], signal: signal, logger: .quiet).drain()
        }

        /// The account, or why it can't be used.
        func answer(to user: ID<User>) async -> String {
            do { return try await wallets.account(of: wallet, for: user) } catch {
                return (error as? Problem)?.code ?? "\(error)"
            }
        }
    }

    @Test func `a wallet is the customer's from its proof to its end, in whatever order that is heard`() async throws {
        try await TestDatabase.with { database in
            let listener = Listener(database.pool(.banking))
            #expect(await listener.answer(to: listener.user) == "not_found")
            try await listener.hear("verified", 2)
            #expect(await listener.answer(to: listener.user) == Self.wallet)
            #expect(await listener.answer(to: IDGenerator().next()) == "not_found")
            try await listener.hear("revoked", 4)
            try await listener.hear("verified", 3)
            #expect(await listener.answer(to: listener.user) == "wallet_not_verified")
        }
    }
}
