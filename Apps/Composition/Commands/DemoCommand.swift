import ArgumentParser
import Kernel
import Logging
import OutboundHTTP

/// `diboas demo`: the main story, played against a running server through its public API.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Play the main story against a running server and print it."
    )
    @Option(help: "The server.") var url = "http://127.0.0.1:8080"

    /// How long the story waits for a webhook or another domain.
    private static let patienceSeconds = 20

    func run() async throws {
        let api = DemoClient(url: url, logger: Logger(label: "demo"))
        let tag = String(UInt32.random(in: 0...UInt32.max), radix: 36)
        let story = Story(api: api, tag: tag)
        try await story.play()
    }

    private struct Story {
        let api: DemoClient
        let tag: String

        func play() async throws {
            let carol = try await customer("carol\(tag)")
            let dave = try await customer("dave\(tag)")

            print("Carol adds 100.00 USD by card; the provider's webhook completes it.")
            let deposit = try await api.expect(
                [202],
                "the deposit",
                .post,
                "/v1/banking/deposits",
                token: carol,
                key: "deposit-\(tag)",
                body: ["amount": "100.00", "asset": "USD"]
            )
            try await wait(for: deposit, until: "completed", as: carol)
            try await balances(carol)
            try await pay(from: carol, to: dave)
            try await moveAndReturn(carol)
            try await withdraw(carol)
            try await trade(carol)
        }

        private func pay(from carol: String, to dave: String) async throws {
            print("Carol sends 20.00 USD to @dave\(tag).")
            let payment = try await api.expect(
                [201],
                "the payment",
                .post,
                "/v1/banking/payments",
                token: carol,
                key: "payment-\(tag)",
                body: ["payee": .string("@dave\(tag)"), "amount": "20.00", "asset": "USD", "memo": "lunch"]
            )
            print("  \(text(payment, "status")), fee \(text(payment, "fee")) USD")
            try await balances(carol)
            try await balances(dave)
        }

        private func moveAndReturn(_ carol: String) async throws {
            print("Carol moves 30.00 USD to Investing, and 10.00 back.")
            let out = try await api.expect(
                [202],
                "the transfer",
                .post,
                "/v1/banking/transfers",
                token: carol,
                key: "out-\(tag)",
                body: ["amount": "30.00", "asset": "USD", "to": "investing"]
            )
            try await wait(forTransfer: out, in: "banking", as: carol)
            let back = try await api.expect(
                [202],
                "the transfer back",
                .post,
                "/v1/investing/transfers",
                token: carol,
                key: "back-\(tag)",
                body: ["amount": "10.00", "asset": "USD", "to": "banking"]
            )
            try await wait(forTransfer: back, in: "investing", as: carol)
            try await balances(carol)
        }

        private func trade(_ carol: String) async throws {
            print("Carol adds 100.00 USDC, moves 60.00 to Investing and buys bitcoin for 25.00 at market.")
            let deposit = try await api.expect(
                [202],
                "the deposit",
                .post,
                "/v1/banking/deposits",
                token: carol,
                key: "usdc-\(tag)",
                body: ["amount": "100.00", "asset": "USDC"]
            )
            try await wait(for: deposit, until: "completed", as: carol)
            try await move("60.00", from: "banking", to: "investing", as: carol)
            let bought = try await order(["side": "buy", "type": "market", "quote_amount": "25.00"], as: carol)
            let trades = try await api.expect([200], "trades", .get, "/v1/investing/trades", token: carol)
            for trade in trades["data"]?.elements ?? [] {
                print("  \(text(trade, "quantity")) at \(text(trade, "price")), fee \(text(trade, "fee")) USDC")
            }
            try await balances(carol)
            print("She sells all of it and moves 30.00 USDC back.")
            let all = bought["filled_quantity"] ?? .null
            _ = try await order(["side": "sell", "type": "market", "quantity": all], as: carol)
            try await move("30.00", from: "investing", to: "banking", as: carol)
            try await balances(carol)
        }

        /// Places a market order as soon as somebody quotes: the markets' traders come a moment after the server.
        private func order(_ terms: JSON, as token: String) async throws -> JSON {
            guard case .object(let members) = terms else { return .null }
            for attempt in 0..<(DemoCommand.patienceSeconds * 2) {
                let order = try await api.expect(
                    [201],
                    "the order",
                    .post,
                    "/v1/investing/orders",
                    token: token,
                    key: "order-\(text(terms, "side"))-\(attempt)-\(tag)",
                    body: .object([JSON.Member("symbol", "BTC-USDC")] + members)
                )
                if text(order, "status") == "filled" {
                    let (quantity, price) = (text(order, "filled_quantity"), text(order, "average_price"))
                    print("  order \(text(order, "id")): filled \(quantity) at \(price) on average")
                    return order
                }
                try await Task.sleep(for: .milliseconds(500))
            }
            throw ValidationError("Nobody trades in BTC-USDC. Is DIBOAS_DEMO_TRADERS off?")
        }

        private func move(_ amount: String, from: String, to: String, as token: String) async throws {
            let transfer = try await api.expect(
                [202],
                "the transfer",
                .post,
                "/v1/\(from)/transfers",
                token: token,
                key: "\(from)-\(amount)-\(tag)",
                body: ["amount": .string(amount), "asset": "USDC", "to": .string(to)]
            )
            try await wait(forTransfer: transfer, in: from, as: token)
        }

        private func withdraw(_ carol: String) async throws {
            print("Carol sets up a second factor and withdraws 25.00 USD to her bank account.")
            try await api.enrolSecondFactor(carol, DemoSeed.password)
            let bank = try await api.expect(
                [201],
                "linking the bank account",
                .post,
                "/v1/banking/accounts",
                token: carol,
                body: ["type": "wire", "label": "House bank", "token": "tok_ok", "last_digits": "4321"]
            )
            let withdrawal = try await api.expect(
                [202],
                "the withdrawal",
                .post,
                "/v1/banking/withdrawals",
                token: carol,
                key: "withdrawal-\(tag)",
                body: ["amount": "25.00", "asset": "USD", "destination": bank["id"] ?? .null]
            )
            try await wait(for: withdrawal, until: "completed", as: carol)
            try await balances(carol)
            try await explain(withdrawal, as: carol)
        }

        private func customer(_ name: String) async throws -> String {
            print("\(name) registers.")
            _ = try await api.expect(
                [201],
                "registering",
                .post,
                "/v1/auth/register",
                body: [
                    "email": .string("\(name)@example.com"), "username": .string(name),
                    "password": .string(DemoSeed.password),
                ]
            )
            let token = try await api.login("\(name)@example.com", DemoSeed.password)
            _ = try await api.expect(
                [200, 201, 202],
                "identification",
                .post,
                "/v1/me/verification",
                token: token,
                body: ["name": .string(name)]
            )
            return token
        }

        private func wait(for transaction: JSON, until status: String, as token: String) async throws {
            try await wait("/v1/banking/transactions/\(text(transaction, "id"))", until: status, as: token)
        }

        private func wait(forTransfer transfer: JSON, in domain: String, as token: String) async throws {
            try await wait("/v1/\(domain)/transfers/\(text(transfer, "id"))", until: "completed", as: token)
        }

        private func wait(_ path: String, until status: String, as token: String) async throws {
            var seen = ""
            for _ in 0..<(DemoCommand.patienceSeconds * 10) {
                let now = text(try await api.expect([200], "reading", .get, path, token: token), "status")
                if now != seen { print("  \(now)") }
                seen = now
                if now == status { return }
                try await Task.sleep(for: .milliseconds(100))
            }
            throw ValidationError("\(path) is still \(seen) after \(DemoCommand.patienceSeconds) s. Does a worker run?")
        }

        private func balances(_ token: String) async throws {
            let me = try await api.expect([200], "the profile", .get, "/v1/me", token: token)
            var parts: [String] = []
            for domain in ["banking", "investing"] {
                let list = try await api.expect([200], "balances", .get, "/v1/\(domain)/balances", token: token)
                for balance in list["data"]?.elements ?? [] {
                    parts.append(
                        "\(domain) \(text(balance, "account")) \(text(balance, "available")) \(text(balance, "asset"))"
                    )
                }
            }
            print("  \(text(me, "username")) has \(parts.isEmpty ? "nothing" : parts.joined(separator: ", "))")
        }

        private func explain(_ transaction: JSON, as token: String) async throws {
            let path = "/v1/banking/transactions/\(text(transaction, "id"))/explain"
            let explanation = try await api.expect([200], "the explanation", .get, path, token: token)
            print("Why it is as it is:")
            for entry in explanation["timeline"]?.elements ?? [] {
                guard case .object(let members) = entry else { continue }
                let details = members.dropFirst(2).compactMap { member in
                    member.value.stringValue.map { "\(member.name) \($0)" }
                }
                print("  \(text(entry, "at")) \(text(entry, "kind")): \(details.joined(separator: ", "))")
            }
        }

        private func text(_ json: JSON, _ name: String) -> String { json[name]?.stringValue ?? "?" }
    }
}
