import Kernel
import Settings
import Testing

@testable import Banking

@Suite(.serialized) struct StripeEventTests {
    private let provider = StripeProvider(
        secretKey: Secret("sk_test_12345"),
        baseURL: "http://127.0.0.1:1",
        http: .loopback(),
        logger: .quiet
    )
    private static let transaction: ID<BankTransaction> = ID(UInt128(1) << 80 | 0x7 << 76 | 0b10 << 62)

    /// An event; members of `object` go before those that every object has here.
    private func event(
        _ type: String,
        _ object: String,
        livemode: String = "false",
        kind: String = "event"
    ) throws -> ProviderEvent {
        try provider.event(
            try JSON(
                text: """
                    {"id":"evt_1","object":"\(kind)","api_version":"2024-10-28.acacia","created":1795200000,
                    "livemode":\(livemode),"pending_webhooks":1,"type":"\(type)","unknown":{"a":[1]},
                    "data":{"object":{\(object)}}}
                    """
            )
        )
    }

    private func intent(_ status: String, _ more: String = "", flow: String = "linked") -> String {
        """
        "id":"pi_1","object":"payment_intent","amount":1234,"currency":"usd","status":"\(status)",\(more)
        "metadata":{"tx":"\(StripeEventTests.transaction.wire)","flow":"\(flow)"}
        """
    }

    @Test(arguments: [
        ("payment_intent.succeeded", "succeeded", ProviderEvent.State.succeeded),
        ("payment_intent.processing", "processing", .processing),
        ("payment_intent.requires_action", "requires_action", .confirming),
        ("payment_intent.canceled", "canceled", .failed), ("payment_intent.created", "requires_payment_method", .other),
        ("payment_intent.amount_capturable_updated", "requires_capture", .other),
        ("something.of.tomorrow", "new", .other),
    ])
    func `each type of an intent's events has its meaning`(
        _ type: String,
        _ status: String,
        _ state: ProviderEvent.State
    ) throws {
        let event = try event(type, intent(status))
        #expect((event.id, event.type, event.objectID, event.state) == ("evt_1", type, "pi_1", state))
        #expect(event.transaction == StripeEventTests.transaction)
        #expect(event.occurredAt == Timestamp(seconds: 1_795_200_000))
        #expect(event.amount == (state == .other ? nil : Money(minorUnits: 1234, .usd)))
    }

    @Test func `what was received counts, not what was asked for`() throws {
        let event = try event("payment_intent.succeeded", intent("succeeded", #""amount_received":1000,"#))
        #expect(event.amount == Money(minorUnits: 1000, .usd))
    }

    @Test func `a refused card is the end for a linked one, and a second chance for a customer`() throws {
        let error = #""last_payment_error":{"code":"card_declined","decline_code":"insufficient_funds"},"#
        let linked = try event("payment_intent.payment_failed", intent("requires_payment_method", error))
        #expect((linked.state, linked.reason) == (.failed, "insufficient_funds"))
        let customer = try event(
            "payment_intent.payment_failed",
            intent("requires_payment_method", error, flow: "customer")
        )
        #expect((customer.state, customer.reason) == (.confirming, "insufficient_funds"))
    }

    @Test func `the fee is read where the balance transaction is in the body`() throws {
        let charge = #""latest_charge":{"id":"ch_1","balance_transaction":{"id":"txn_1","fee":66,"currency":"usd"}},"#
        let event = try event("payment_intent.succeeded", intent("succeeded", charge))
        #expect(event.actualFee == Money(minorUnits: 66, .usd))
    }

    @Test func `a charge says how much of it was given back so far, all refunds together`() throws {
        let charge =
            #""id":"ch_1","object":"charge","payment_intent":"pi_1","amount":1234,"currency":"usd","metadata":{},"#
        let whole = try event("charge.refunded", charge + #""refunded":true,"amount_refunded":1234"#)
        #expect((whole.state, whole.objectID, whole.amount) == (.refunded, "pi_1", Money(minorUnits: 1234, .usd)))
        let part = try event("charge.refunded", charge + #""refunded":false,"amount_refunded":34"#)
        #expect((part.state, part.amount, part.part) == (.refunded, Money(minorUnits: 34, .usd), nil))
    }

    @Test(arguments: [
        ("refund.created", "pending", true, ProviderEvent.State.other),
        ("refund.created", "succeeded", true, .refunded),
        ("refund.updated", "succeeded", true, .refunded), ("charge.refund.updated", "succeeded", true, .refunded),
        ("refund.updated", "failed", true, .other), ("refund.updated", "succeeded", false, .other),
    ])
    func `a refund counts once it succeeded and if it is ours`(
        _ type: String,
        _ status: String,
        _ isOurs: Bool,
        _ state: ProviderEvent.State
    ) throws {
        let metadata = isOurs ? #"{"tx":"\#(StripeEventTests.transaction.wire)","key":"k"}"# : "{}"
        let refund = """
            "id":"re_1","object":"refund","payment_intent":{"id":"pi_1"},"amount":1234,"currency":"usd",
            "status":"\(status)","metadata":\(metadata)
            """
        let event = try event(type, refund)
        #expect((event.state, event.objectID) == (state, "pi_1"))
        // Several refunds of one payment are told apart by their ids.
        #expect(event.part == (state == .refunded ? "re_1" : nil))
    }

    @Test func `a dispute takes the payment back`() throws {
        let dispute = """
            "id":"dp_1","object":"dispute","payment_intent":"pi_1","charge":"ch_1","amount":1234,"currency":"usd",
            "reason":"fraudulent","status":"needs_response"
            """
        let event = try event("charge.dispute.created", dispute)
        #expect((event.state, event.objectID, event.reason) == (.disputed, "pi_1", "fraudulent"))
        #expect(event.part == "dp_1")
    }

    @Test func `an event of the other mode is none of ours`() throws {
        #expect(throws: ProviderEventError.wrongMode) {
            try event("payment_intent.succeeded", intent("succeeded"), livemode: "true")
        }
        let live = StripeProvider(
            secretKey: Secret("rk_live_12345"),
            baseURL: "http://127.0.0.1:1",
            http: .loopback(),
            logger: .quiet
        )
        let body = try JSON(
            text: #"{"id":"evt_1","object":"event","created":1,"livemode":false,"type":"a","data":{"object":{}}}"#
        )
        #expect(throws: ProviderEventError.wrongMode) { try live.event(body) }
    }

    @Test func `a thin event is refused`() throws {
        #expect(throws: ProviderEventError.malformed("object")) {
            try event("payment_intent.succeeded", intent("succeeded"), kind: "v2.core.event")
        }
    }

    @Test(arguments: [
        (#""id":"pi_1","currency":"usd""#, "data.object.amount"),
        (#""id":"pi_1","amount":12.5,"currency":"usd""#, "data.object.amount"),
        (#""id":"pi_1","amount":"12","currency":"usd""#, "data.object.amount"),
        (#""id":"pi_1","amount":12"#, "data.object.currency"),
        (#""id":"pi_1","amount":1,"currency":"jpy","metadata":{"tx":"x"}"#, "data.object.currency"),
        (#""id":"pi_1","amount":-1,"currency":"usd","metadata":{"tx":"x"}"#, "data.object.currency"),
    ])
    func `a success without a sound amount is malformed`(_ object: String, _ member: String) throws {
        #expect(throws: ProviderEventError.malformed(member)) { try event("payment_intent.succeeded", object) }
    }

    @Test(arguments: ["id", "object", "type", "created", "livemode", "data"])
    func `an event without one of its members is malformed`(_ member: String) throws {
        let members: [(String, JSON)] = [
            ("id", "evt_1"), ("object", "event"), ("type", "a"), ("created", .integer(1)), ("livemode", false),
            ("data", ["object": [:]]),
        ]
        let body = JSON.object(members.filter { $0.0 != member }.map { JSON.Member($0.0, $0.1) })
        #expect(throws: ProviderEventError.malformed(member)) { try provider.event(body) }
    }

    @Test func `an event about nothing of ours has an envelope all the same`() throws {
        let body = try JSON(
            text:
                #"{"id":"evt_9","object":"event","created":1,"livemode":false,"type":"balance.available","#
                + #""data":{"object":{}}}"#
        )
        let envelope = try provider.envelope(body)
        #expect(
            (envelope.eventID, envelope.type, envelope.objectID) == ("evt_9", "balance.available", "balance.available")
        )
        #expect(try provider.event(body).state == .other)
    }

    @Test func `the events since an instant come oldest first in either order of the list`() async throws {
        try await StripePeer.with { peer in
            for newestFirst in [false, true] {
                try await peer.set([], newestFirst: newestFirst)
                let provider = peer.provider()
                let intent = try ProviderIntent.new(token: try await peer.card("4242424242424242"))
                #expect(await provider.createDeposit(intent).reference != nil)
                let events = try await provider.events(since: Timestamp(seconds: 0))
                let made = try await peer.objects("event")
                let times = events.compactMap { $0["created"]?.integerValue }
                #expect(times == times.sorted() && times.count == made.count)
                #expect(Set(events.map { $0["id"] }) == Set(made.map { $0["id"] }))
                // Events of one second are in the order of the list, if that is Stripe's.
                if newestFirst { #expect(events.map { $0["id"] } == made.map { $0["id"] }) }
                #expect(try events.contains { try provider.event($0).transaction == intent.transaction })
                #expect(try await provider.events(since: SystemClock().now().adding(seconds: 60)).isEmpty)
            }
        }
    }
}

@Suite struct StripeAmountTests {
    @Test func `amounts go over the wire by the decimals of the currency, not of the asset`() throws {
        let wire = try #require(StripeAmount.wire(try Money(wire: "12.34", .usd)))
        #expect((wire.amount, wire.currency) == (1234, "usd"))
        #expect(StripeAmount.money(5, currency: "eur") == (try Money(wire: "0.05", .eur)))
        for currency in ["jpy", "kwd", "usdc", "btc", ""] { #expect(StripeAmount.money(1, currency: currency) == nil) }
        #expect(StripeAmount.wire(try Money(wire: "1", .usdc)) == nil)
    }

    @Test func `nested fields are in brackets and everything else is escaped`() {
        var form = StripeForm()
        form.add(["metadata", "tx"], "txn_1 &=é")
        form.add(["payment_method_types", "0"], "card")
        #expect(form.encoded == "metadata%5Btx%5D=txn_1%20%26%3D%C3%A9&payment_method_types%5B0%5D=card")
    }
}
