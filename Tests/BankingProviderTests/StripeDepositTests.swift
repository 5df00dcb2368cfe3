import Kernel
import Logging
import OutboundHTTP
import Randomness
import Settings
import Testing

@testable import Banking

/// The adapter against localstripe, which forgets idempotency keys: whatever gets lost, there is one intent.
///
/// One test after the other, as each has a peer in a process of its own.
@Suite(.serialized) struct StripeDepositTests {
    private let path = "POST /v1/payment_intents"

    @Test func `a customer who pays by himself gets the client secret`() async throws {
        try await StripePeer.with { peer in
            let intent = try ProviderIntent.new("12.34", .eur)
            let answer = await peer.provider().createDeposit(intent)
            let made = try #require(try await peer.intents(of: intent.transaction).first)
            #expect(answer.reference == made["id"]?.stringValue)
            #expect(answer.action?["type"] == "stripe_client_secret")
            #expect(answer.action?["client_secret"] == made["client_secret"])
            #expect((made["amount"], made["currency"]) == (.number("1234"), "eur"))
            #expect(made["metadata"]?["key"]?.stringValue == intent.idempotencyKey)
        }
    }

    @Test func `a linked card is charged at once`() async throws {
        try await StripePeer.with { peer in
            let intent = try ProviderIntent.new(token: try await peer.card("4242424242424242"))
            let answer = await peer.provider().createDeposit(intent)
            #expect(answer.reference != nil && answer.action == nil)
            #expect(try await peer.intents(of: intent.transaction).map { $0["status"] } == ["succeeded"])
        }
    }

    @Test func `a refused card is a refusal, and stays one when asked again`() async throws {
        try await StripePeer.with { peer in
            let intent = try ProviderIntent.new(token: try await peer.card("4000000000000341"))
            for _ in 0..<2 {
                #expect(await peer.provider().createDeposit(intent) == .refused(reason: "card_declined"))
            }
            #expect(try await peer.intents(of: intent.transaction).count == 1)
        }
    }

    @Test func `a card that wants the customer's consent asks for it`() async throws {
        try await StripePeer.with { peer in
            let intent = try ProviderIntent.new(token: try await peer.card("4000002500003155"))
            #expect(await peer.provider().createDeposit(intent).action?["type"] == "stripe_client_secret")
        }
    }

    @Test(arguments: [
        StripePeer.Fault.after("POST /v1/payment_intents", 0), .after("POST /v1/payment_intents", 500),
        .after("POST /v1/payment_intents", 429), .after("POST /v1/payment_intents", 409),
        .late("POST /v1/payment_intents", seconds: "0.2", after: 503),
    ])
    func `an answer that gets lost after the peer acted is found by reading back`(
        _ fault: StripePeer.Fault
    ) async throws {
        try await StripePeer.with { peer in
            let intent = try ProviderIntent.new(token: try await peer.card("4242424242424242"))
            try await peer.set([fault])
            let answer = await peer.provider().createDeposit(intent)
            let made = try await peer.intents(of: intent.transaction)
            #expect(made.count == 1)
            #expect(answer.reference == made.first?["id"]?.stringValue)
        }
    }

    @Test(arguments: [0, 429, 500])
    func `a request that the peer never saw is unknown, and made once by the next attempt`(_ status: Int) async throws {
        try await StripePeer.with { peer in
            let intent = try ProviderIntent.new()
            try await peer.set([.before(path, status)])
            let provider = peer.provider()
            #expect(await provider.createDeposit(intent).isUnknown)
            let answer = await provider.createDeposit(intent)
            #expect(try await peer.intents(of: intent.transaction).map { $0["id"]?.stringValue } == [answer.reference])
        }
    }

    @Test func `an answer that comes too late is not waited for, and nothing is charged twice`() async throws {
        try await StripePeer.with { peer in
            let intent = try ProviderIntent.new(token: try await peer.card("4242424242424242"))
            try await peer.set([.late(path, seconds: "5")])
            #expect(await peer.provider(deadlineSeconds: 3).createDeposit(intent).isUnknown)
            #expect(try await eventually { try await peer.intents(of: intent.transaction).count == 1 })
            #expect(await peer.provider().createDeposit(intent).reference != nil)
            #expect(try await peer.intents(of: intent.transaction).count == 1)
        }
    }

    @Test func `a look for an earlier attempt that fails leaves the outcome unknown, and nothing is made`() async throws
    {
        try await StripePeer.with { peer in
            let intent = try ProviderIntent.new(token: try await peer.card("4242424242424242"))
            let provider = peer.provider()
            try await peer.set([.before("GET /v1/payment_intents", 400)])
            #expect(await provider.createDeposit(intent).isUnknown)
            #expect(try await peer.intents(of: intent.transaction).isEmpty)
            #expect(await provider.createDeposit(intent).reference != nil)
            #expect(try await peer.intents(of: intent.transaction).count == 1)
        }
    }

    @Test(arguments: [false, true])
    func `an intent is found behind many others in either order of the list`(_ newestFirst: Bool) async throws {
        try await StripePeer.with { peer in
            try await peer.set([], newestFirst: newestFirst)
            let provider = peer.provider()
            let intent = try ProviderIntent.new(token: try await peer.card("4242424242424242"))
            let first = await provider.createDeposit(intent)
            for _ in 0..<(StripeLists.pageSize + 20) {
                var form = StripeForm()
                form.add("amount", "100")
                form.add("currency", "usd")
                guard case .object = await provider.client.post("/v1/payment_intents", form, idempotencyKey: "other")
                else { throw StripePeer.Unusable() }
            }
            #expect(await provider.createDeposit(intent).reference == first.reference)
            #expect(try await peer.intents(of: intent.transaction).count == 1)
        }
    }

    @Test func `whatever fails in whichever order, an intent is charged exactly once`() async throws {
        try await StripePeer.with { peer in
            let seed = UInt64.random(in: .min ... .max)
            var random = SeededRandom(seed)
            let card = try await peer.card("4242424242424242")
            for round in 0..<25 {
                let intent = try ProviderIntent.new(token: card)
                let faults = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                    let status = [0, 409, 429, 500, 503].randomElement(using: &random) ?? 0
                    return Bool.random(using: &random) ? StripePeer.Fault.after(path, status) : .before(path, status)
                }
                try await peer.set(faults, honoursKeys: round % 2 == 0, newestFirst: round % 3 == 0)
                var answer = ProviderAnswer.unknown("not asked")
                for _ in 0..<6 where answer.reference == nil { answer = await peer.provider().createDeposit(intent) }
                let made = try await peer.intents(of: intent.transaction)
                #expect(made.map { $0["id"]?.stringValue } == [answer.reference], "seed \(seed), round \(round)")
            }
        }
    }

    @Test func `a peer that isn't there has surely not acted`() async throws {
        let provider = StripeProvider(
            secretKey: Secret("sk_test_12345"),
            baseURL: "http://127.0.0.1:1",
            http: .loopback(),
            logger: .quiet
        )
        #expect(try await provider.createDeposit(.new()).isUnavailable)
    }

    @Test func `a refused key is not the customer's fault`() async throws {
        try await StripePeer.with { peer in
            let answer = await peer.provider(key: "wrong_kind_of_key").createDeposit(try .new())
            #expect(answer.isUnavailable)
        }
    }

    @Test(
        arguments: [
            ("10.00", Asset.usdc, nil), ("10.00", .usd, "tok_visa"), ("10.00", .usd, "pm_1/../../charges"),
            ("10.00", .usd, "cus_1/cus_2/pm_1"),
        ] as [(String, Asset, String?)]
    )
    func `what Stripe can't take is refused before it is asked`(
        _ wire: String,
        _ asset: Asset,
        _ token: String?
    ) async throws {
        let provider = StripeProvider(
            secretKey: Secret("sk_test_12345"),
            baseURL: "http://127.0.0.1:1",
            http: .loopback(),
            logger: .quiet
        )
        #expect(try await provider.createDeposit(.new(wire, asset, token: token)) == .refused(reason: "not_supported"))
    }

    @Test func `a card that doesn't exist is refused with Stripe's code`() async throws {
        try await StripePeer.with { peer in
            let answer = await peer.provider().createDeposit(try .new(token: "pm_doesnotexist"))
            #expect(answer == .refused(reason: "invalid_request_error"))
        }
    }

    @Test func `an intent of another amount under our transaction is for an operator`() async throws {
        try await StripePeer.with { peer in
            let intent = try ProviderIntent.new("10.00")
            #expect(await peer.provider().createDeposit(intent).reference != nil)
            let other = try ProviderIntent.new("11.00", of: intent.transaction)
            #expect(await peer.provider().createDeposit(other).isUnknown)
            #expect(try await peer.intents(of: intent.transaction).count == 1)
        }
    }

    @Test func `payouts are not offered`() async throws {
        let provider = StripeProvider(
            secretKey: Secret("sk_test_12345"),
            baseURL: "http://127.0.0.1:1",
            http: .loopback(),
            logger: .quiet
        )
        #expect(try await provider.createPayout(.new(step: "create_payout")) == .refused(reason: "not_offered"))
    }
}
