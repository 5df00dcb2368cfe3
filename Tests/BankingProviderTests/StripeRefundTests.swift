import Kernel
import Testing

@testable import Banking

@Suite(.serialized) struct StripeRefundTests {
    private let path = "POST /v1/refunds"

    /// A paid intent at the peer.
    private func paid(_ peer: StripePeer, _ wire: String = "10.00") async throws -> String {
        let intent = try ProviderIntent.new(wire, token: try await peer.card("4242424242424242"))
        return try #require(await peer.provider().createDeposit(intent).reference)
    }

    @Test func `a deposit is given back once, however often it is asked for`() async throws {
        try await StripePeer.with { peer in
            let reference = try await paid(peer)
            let intent = try ProviderIntent.new("10.00", step: "refund")
            let answer = await peer.provider().refund(intent, of: reference)
            #expect(answer.reference?.hasPrefix("re_") == true)
            #expect(await peer.provider().refund(intent, of: reference) == answer)
            let refunds = try await peer.objects("refund")
            #expect(refunds.map { $0["amount"] } == [.number("1000")])
            #expect(refunds.first?["metadata"]?["tx"]?.stringValue == intent.transaction.wire)
        }
    }

    @Test func `more than was paid is not given back, though the peer would`() async throws {
        try await StripePeer.with { peer in
            let reference = try await paid(peer)
            let tooMuch = try ProviderIntent.new("40.00", step: "refund")
            #expect(await peer.provider().refund(tooMuch, of: reference) == .refused(reason: "exceeds_payment"))
            #expect(try await peer.provider().refund(.new("6.00", step: "refund"), of: reference).reference != nil)
            let rest = try ProviderIntent.new("4.01", step: "refund")
            #expect(await peer.provider().refund(rest, of: reference) == .refused(reason: "exceeds_payment"))
            #expect(try await peer.provider().refund(.new("4.00", step: "refund"), of: reference).reference != nil)
        }
    }

    @Test(arguments: [
        StripePeer.Fault.after("POST /v1/refunds", 0), .after("POST /v1/refunds", 500), .after("POST /v1/refunds", 429),
    ])
    func `an answer that gets lost after the refund is found by reading back`(_ fault: StripePeer.Fault) async throws {
        try await StripePeer.with { peer in
            let reference = try await paid(peer)
            try await peer.set([fault])
            let answer = await peer.provider().refund(try .new("10.00", step: "refund"), of: reference)
            #expect(try await peer.objects("refund").map { $0["id"]?.stringValue } == [answer.reference])
        }
    }

    @Test func `a refund that the peer never saw is unknown, and made once by the next attempt`() async throws {
        try await StripePeer.with { peer in
            let reference = try await paid(peer)
            let intent = try ProviderIntent.new("10.00", step: "refund")
            try await peer.set([.before(path, 500)])
            #expect(await peer.provider().refund(intent, of: reference).isUnknown)
            #expect(try await peer.objects("refund").isEmpty)
            #expect(await peer.provider().refund(intent, of: reference).reference != nil)
            #expect(try await peer.objects("refund").count == 1)
        }
    }

    @Test func `what wasn't paid can't be given back`() async throws {
        try await StripePeer.with { peer in
            let open = try #require(try await peer.provider().createDeposit(.new("10.00")).reference)
            let refund = try ProviderIntent.new("10.00", step: "refund")
            #expect(await peer.provider().refund(refund, of: open) == .refused(reason: "not_paid"))
            let reference = try await paid(peer)
            let euros = try ProviderIntent.new("10.00", .eur, step: "refund")
            #expect(await peer.provider().refund(euros, of: reference) == .refused(reason: "other_currency"))
            let nothing = await peer.provider().refund(refund, of: "pi_doesnotexist")
            #expect(nothing == .refused(reason: "invalid_request_error"))
        }
    }

    @Test(arguments: ["", "ch_1", "pi_1/cancel", "pi_1?x=y", "pi_é"])
    func `a reference that is no payment intent is refused unasked`(_ reference: String) async throws {
        try await StripePeer.with { peer in
            let answer = await peer.provider().refund(try .new(step: "refund"), of: reference)
            #expect(answer == .refused(reason: "unknown_reference"))
            #expect(try await peer.seen()["requests"] == [:])
        }
    }
}
