import DomainTransfers
import HTTP
import Kernel
import Messaging
import PostgreSQL
import Testing

/// Something dies between any two steps of a transfer.
@Suite struct InterruptionTests {
    /// One mishap at one step, on the way to completion or to return.
    struct Case: Sendable, CustomTestStringConvertible {
        let mishap: Mishap
        let event: String
        let isReturned: Bool
        var testDescription: String { "\(mishap) on \(event), \(isReturned ? "returned" : "completed")" }
    }

    static let cases: [Case] = Mishap.allCases.flatMap { mishap in
        [
            Case(mishap: mishap, event: "sent", isReturned: false),
            Case(mishap: mishap, event: "received", isReturned: false),
            Case(mishap: mishap, event: "sent", isReturned: true),
            Case(mishap: mishap, event: "refused", isReturned: true),
        ]
    }

    @Test(arguments: cases)
    func `the transfer ends as it would have, and moves the money once`(_ one: Case) async throws {
        let books = Dictionary(
            uniqueKeysWithValues: World.schemas.map { ($0, TestBook(schema: $0, ids: IDGenerator())) }
        )
        try await World.with(books: books) { world in
            let user = world.ids.next(User.self)
            let target: Schema = one.isReturned ? .defi : .investing
            try await world.fund(user, Money(minorUnits: 10_000, .usd), in: .banking)
            if one.mishap == .handlerInside {
                switch (one.event, one.isReturned) {
                // What is refused has no step of the target's book.
                case ("sent", true): break
                case ("sent", false): books[target]?.breakNext("arriving")
                case ("received", _): books[.banking]?.breakNext("confirmed")
                default: books[.banking]?.breakNext("returning")
                }
            } else {
                world.trouble.plan(one.mishap, on: one.event)
            }
            let id = try await world.sent(user, Money(minorUnits: 2_500, .usd), from: .banking, to: target)
            try await world.settle()
            try await world.settle()
            #expect(world.trouble.planned.isEmpty, "the mishap didn't happen")
            #expect(try await world.status(of: id, user, in: .banking) == (one.isReturned ? "returned" : "completed"))
            #expect(try await world.balance(user, .usd, in: .banking) == (one.isReturned ? 10_000 : 7_500))
            #expect(try await world.balance(user, .usd, in: target) == (one.isReturned ? 0 : 2_500))
            try await world.expectSettled()
        }
    }

    @Test func `a sending whose transaction breaks leaves nothing behind, and the same key may come again`()
        async throws
    {
        let book = TestBook(schema: .banking, ids: IDGenerator())
        try await World.with(books: [.banking: book]) { world in
            let user = world.ids.next(User.self)
            try await world.fund(user, Money(minorUnits: 10_000, .usd), in: .banking)
            book.breakNext("leaving")
            let amount = Money(minorUnits: 2_500, .usd)
            #expect(try await world.send(user, amount, from: .banking, to: .investing, key: "k").status == 500)
            #expect(try await world.balance(user, .usd, in: .banking) == 10_000)
            #expect(try await world.send(user, amount, from: .banking, to: .investing, key: "k").status == 202)
            try await world.settle()
            #expect(try await world.balance(user, .usd, in: .investing) == 2_500)
            try await world.expectSettled()
        }
    }
}
