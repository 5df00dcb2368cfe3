import DomainKit
import DomainTransfers
import Kernel
import Messaging
import PostgreSQL
import Testing

/// Events about transfers that aren't what they should be.
@Suite struct MessageTests {
    private static func arrival(
        _ type: String,
        from source: String,
        _ data: JSON,
        _ ids: IDGenerator,
        body: [UInt8]? = nil
    ) -> InboxArrival {
        let id = ids.next(User.self).description
        let envelope: JSON = [
            "specversion": "1.0", "id": .string(id), "source": .string("/diboas/\(source)"),
            "type": .string("\(type).v1"),
            "subject": .string(id), "time": "2026-11-20T12:00:00.000000Z", "datacontenttype": "application/json",
            "aggregatetype": "transfer", "sequence": "1", "data": data,
        ]
        return InboxArrival(
            source: source,
            eventID: id,
            type: type,
            objectID: "transfer/\(id)",
            sequence: 1,
            body: body ?? envelope.serialized(),
            origin: .event
        )
    }

    private static func data(
        _ transfer: ID<DomainTransfer>,
        _ user: ID<User>,
        from: String,
        to: String,
        amount: String = "1.00"
    ) -> JSON {
        [
            "transfer": .string(transfer.wire), "user": .string(user.wire), "from": .string(from), "to": .string(to),
            "asset": "USD", "amount": .string(amount),
        ]
    }

    private static func status(_ arrival: InboxArrival, in world: World) async throws -> InboxEvent.Status {
        let member = try world.member(.banking)
        _ = try await member.runtime.inbox.put(arrival)
        try await member.worker().drain()
        let record = try await member.runtime.inbox.show(source: arrival.source, eventID: arrival.eventID)
        return try #require(record).status
    }

    @Test func `what is no message about a transfer is given up at once`() async throws {
        try await World.with { world in
            let (transfer, user) = (world.ids.next(DomainTransfer.self), world.ids.next(User.self))
            func arrival(_ data: JSON, body: [UInt8]? = nil) -> InboxArrival {
                Self.arrival("investing.transfer.sent", from: "investing", data, world.ids, body: body)
            }
            let good = Self.data(transfer, user, from: "investing", to: "banking")
            for name in ["transfer", "user", "from", "to", "asset", "amount"] {
                guard case .object(let members) = good else { throw Unexpected("no object") }
                let left = JSON.object(members.filter { $0.name != name })
                #expect(try await Self.status(arrival(left), in: world) == .dead, "without \(name)")
            }
            let zero = Self.data(transfer, user, from: "investing", to: "banking", amount: "0.00")
            #expect(try await Self.status(arrival(zero), in: world) == .dead)
            #expect(try await Self.status(arrival(good, body: Array("{".utf8)), in: world) == .dead)
            #expect(try await Self.status(arrival(good, body: Array("{}".utf8)), in: world) == .dead)
            #expect(try await world.balance(user, .usd, in: .banking) == 0)
        }
    }

    @Test func `a domain can't send another's money`() async throws {
        try await World.with { world in
            let (transfer, user) = (world.ids.next(DomainTransfer.self), world.ids.next(User.self))
            let forged = Self.data(transfer, user, from: "investing", to: "banking")
            let arrival = Self.arrival("investing.transfer.sent", from: "defi", forged, world.ids)
            let status = try await Self.status(arrival, in: world)
            #expect(status == .dead)
            #expect(try await world.balance(user, .usd, in: .banking) == 0)
        }
    }

    @Test func `a transfer to a third domain is none of ours`() async throws {
        try await World.with { world in
            let data = Self.data(world.ids.next(), world.ids.next(), from: "investing", to: "defi")
            let arrival = Self.arrival("investing.transfer.sent", from: "investing", data, world.ids)
            let status = try await Self.status(arrival, in: world)
            #expect(status == .ignored)
        }
    }

    @Test func `the same transfer under another event is not taken twice`() async throws {
        try await World.with { world in
            let (transfer, user) = (world.ids.next(DomainTransfer.self), world.ids.next(User.self))
            let data = Self.data(transfer, user, from: "investing", to: "banking")
            let first = Self.arrival("investing.transfer.sent", from: "investing", data, world.ids)
            let second = Self.arrival("investing.transfer.sent", from: "investing", data, world.ids)
            let (one, two) = (try await Self.status(first, in: world), try await Self.status(second, in: world))
            #expect(one == .processed)
            #expect(two == .ignored)
            #expect(try await world.balance(user, .usd, in: .banking) == 100)
        }
    }

    @Test func `an answer that doesn't fit is given up and changes nothing`() async throws {
        try await World.with { world in
            let user = world.ids.next(User.self)
            try await world.fund(user, Money(minorUnits: 1_000, .usd), in: .banking)
            let id = try await world.sent(user, Money(minorUnits: 100, .usd), from: .banking, to: .investing)
            func answer(_ type: String, from source: String, _ data: JSON) async throws -> InboxEvent.Status {
                try await Self.status(
                    Self.arrival("\(source).transfer.\(type)", from: source, data, world.ids),
                    in: world
                )
            }
            let unknown = Self.data(world.ids.next(), user, from: "banking", to: "investing")
            #expect(try await answer("received", from: "investing", unknown) == .dead)
            let elsewhere = Self.data(id, user, from: "banking", to: "defi")
            #expect(try await answer("received", from: "defi", elsewhere) == .dead)
            let more = Self.data(id, user, from: "banking", to: "investing", amount: "2.00")
            #expect(try await answer("received", from: "investing", more) == .dead)
            #expect(try await world.status(of: id, user, in: .banking) == "in_transit")

            try await world.settle()
            let right = Self.data(id, user, from: "banking", to: "investing")
            #expect(try await answer("received", from: "investing", right) == .ignored)
            #expect(try await answer("refused", from: "investing", right) == .dead)
            #expect(try await world.status(of: id, user, in: .banking) == "completed")
            #expect(try await world.balance(user, .usd, in: .banking) == 900)
        }
    }
}
