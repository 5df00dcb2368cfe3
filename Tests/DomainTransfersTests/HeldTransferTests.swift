import Compliance
import DomainKit
import DomainTransfers
import HTTP
import Kernel
import Ledger
import PostgreSQL
import Testing

/// Transfers that a person must look at: held where they would leave, until that is decided.
@Suite struct HeldTransferTests {
    private static let fee: Int128 = 25

    /// A customer with 10,000 dollars in Banking, whose book holds what leaves.
    private func with(_ body: @Sendable (World, TestBook, ID<User>) async throws -> Void) async throws {
        let book = TestBook(schema: .banking, ids: IDGenerator(), fee: Self.fee)
        book.hold()
        try await World.with(books: [.banking: book]) { world in
            let user = world.ids.next(User.self)
            try await world.fund(user, Money(minorUnits: 10_000, .usd), in: .banking)
            try await body(world, book, user)
        }
    }

    private func held(_ world: World, _ user: ID<User>) async throws -> ID<DomainTransfer> {
        try await world.sent(user, Money(minorUnits: 4_000, .usd), from: .banking, to: .investing)
    }

    private func reserved(_ world: World, _ user: ID<User>) async throws -> Int128 {
        try await world.member(.banking).runtime.pool.query(
            "select reserved from banking.ledger_accounts where owner = \(user) and asset = 'USD'"
        )[0][0]
    }

    @Test func `what is held leaves nothing, and the other domain hears of nothing`() async throws {
        try await with { world, _, user in
            let id = try await held(world, user)
            #expect(try await world.status(of: id, user, in: .banking) == "in_review")
            #expect(try await world.balance(user, .usd, in: .banking) == 6_000 - Self.fee)
            #expect(try await reserved(world, user) == 4_000 + Self.fee)
            try await world.settle()
            #expect(try await world.member(.banking).transfers.lookAtHeld() == 0)
            #expect(try await world.transfer(id, of: user, in: .investing).status == 404)
            #expect(try await world.balance(user, .usd, in: .investing) == 0)
            try await world.expectSettled()
        }
    }

    @Test func `what is released leaves with its fees and arrives`() async throws {
        try await with { world, book, user in
            let id = try await held(world, user)
            book.decide(.goesOn(ComplianceAnswer(checks: [])))
            #expect(try await world.member(.banking).transfers.lookAtHeld() == 1)
            #expect(try await world.status(of: id, user, in: .banking) == "in_transit")
            #expect(try await world.member(.banking).transfers.lookAtHeld() == 0)
            try await world.settle()
            #expect(try await world.status(of: id, user, in: .banking) == "completed")
            #expect(try await world.balance(user, .usd, in: .investing) == 4_000)
            #expect(try await world.balance(user, .usd, in: .banking) == 6_000 - Self.fee)
            #expect(try await reserved(world, user) == 0)
            try await world.expectSettled()
        }
    }

    @Test func `what is released and refused where it goes comes back with its fees`() async throws {
        try await with { world, book, user in
            let id = try await world.sent(user, Money(minorUnits: 4_000, .usd), from: .banking, to: .defi)
            let runtime = try world.member(.banking).runtime
            #expect(try await runtime.transfersUnderWay(of: user).count == 1)
            book.decide(.goesOn(ComplianceAnswer(checks: [])))
            #expect(try await world.member(.banking).transfers.lookAtHeld() == 1)
            // It is in no account of theirs, and stands against their erasure.
            #expect(try await runtime.transfersUnderWay(of: user).count == 1)
            #expect(try await runtime.transfersUnderWay(of: world.ids.next()).isEmpty)
            try await world.settle()
            #expect(try await runtime.transfersUnderWay(of: user).isEmpty)
            #expect(try await world.status(of: id, user, in: .banking) == "returned")
            #expect(try await world.balance(user, .usd, in: .banking) == 10_000)
            try await world.expectSettled()
        }
    }

    @Test func `what is refused fails with its reason, and the money is free again`() async throws {
        try await with { world, book, user in
            let id = try await held(world, user)
            book.decide(.refused(TestBook.block))
            #expect(try await world.member(.banking).transfers.lookAtHeld() == 1)
            let transfer = try await world.transfer(id, of: user, in: .banking)
            #expect(transfer.json["status"] == "failed" && transfer.json["reason"] == "refused")
            #expect(try await world.balance(user, .usd, in: .banking) == 10_000)
            try await world.settle()
            #expect(try await world.transfer(id, of: user, in: .investing).status == 404)
            try await world.expectSettled()
        }
    }

    @Test func `of many that look at once one lets it go`() async throws {
        try await with { world, book, user in
            let id = try await held(world, user)
            book.decide(.goesOn(ComplianceAnswer(checks: [])))
            let transfers = try world.member(.banking).transfers
            let moved = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try await transfers.lookAtHeld() } }
                return try await group.reduce(0, +)
            }
            #expect(moved == 1)
            try await world.settle()
            #expect(try await world.status(of: id, user, in: .banking) == "completed")
            #expect(try await world.balance(user, .usd, in: .investing) == 4_000)
            try await world.expectSettled()
        }
    }

    @Test func `an account that an operator has stopped keeps what is released`() async throws {
        try await with { world, book, user in
            let id = try await held(world, user)
            book.decide(.goesOn(ComplianceAnswer(checks: [])))
            let (runtime, transfers) = (try world.member(.banking).runtime, try world.member(.banking).transfers)
            let account = try await runtime.accounts.open(AccountKey(user, "checking", .usd))
            for (reason, moved) in [("a test", 0), (nil, 1)] as [(String?, Int)] {
                let item = LedgerItem(operation: world.ids.next(), commands: [.freeze(account, because: reason)])
                _ = try await runtime.ledger.submit(item)
                #expect(try await transfers.lookAtHeld() == moved)
            }
            try await world.settle()
            #expect(try await world.status(of: id, user, in: .banking) == "completed")
        }
    }

    @Test func `what is released keeps in an account that is stopped while it is let go`() async throws {
        try await with { world, book, user in
            let id = try await held(world, user)
            book.decide(.goesOn(ComplianceAnswer(checks: [])))
            let (runtime, transfers) = (try world.member(.banking).runtime, try world.member(.banking).transfers)
            let account = try await runtime.accounts.open(AccountKey(user, "checking", .usd))
            @Sendable func freeze(because reason: String?) async throws {
                let item = LedgerItem(operation: world.ids.next(), commands: [.freeze(account, because: reason)])
                _ = try await runtime.ledger.submit(item)
            }
            book.during("released") { try await freeze(because: "a test") }
            #expect(try await transfers.lookAtHeld() == 0)
            #expect(try await world.status(of: id, user, in: .banking) == "in_review")
            #expect(try await reserved(world, user) == 4_000 + Self.fee)
            try await freeze(because: nil)
            #expect(try await transfers.lookAtHeld() == 1)
            try await world.settle()
            #expect(try await world.status(of: id, user, in: .banking) == "completed")
            try await world.expectSettled()
        }
    }

    @Test func `a transfer whose reservation an operator has ended fails`() async throws {
        try await with { world, book, user in
            let id = try await held(world, user)
            let runtime = try world.member(.banking).runtime
            let account = try await runtime.accounts.open(AccountKey(user, "checking", .usd))
            let reservation: ID<Reservation> = try await runtime.pool.query("select id from banking.reservations")[0][0]
            let freed = LedgerCommand.release(reservation, of: account, reason: "a test")
            _ = try await runtime.ledger.submit(LedgerItem(operation: world.ids.next(), commands: [freed]))
            book.decide(.goesOn(ComplianceAnswer(checks: [])))
            #expect(try await world.member(.banking).transfers.lookAtHeld() == 1)
            #expect(try await world.transfer(id, of: user, in: .banking).json["reason"] == "reservation_ended")
            #expect(try await world.balance(user, .usd, in: .banking) == 10_000)
            try await world.expectSettled()
        }
    }

    @Test func `a release that is cut off is done once, later`() async throws {
        try await with { world, book, user in
            let id = try await held(world, user)
            book.decide(.goesOn(ComplianceAnswer(checks: [])))
            book.breakNext("released")
            #expect(try await world.member(.banking).transfers.lookAtHeld() == 0)
            #expect(try await world.status(of: id, user, in: .banking) == "in_review")
            #expect(try await world.member(.banking).transfers.lookAtHeld() == 1)
            try await world.settle()
            #expect(try await world.balance(user, .usd, in: .investing) == 4_000)
            try await world.expectSettled()
        }
    }

    @Test func `more than there is isn't held`() async throws {
        try await with { world, _, user in
            let amount = Money(minorUnits: 10_000, .usd)
            let response = try await world.send(user, amount, from: .banking, to: .investing)
            #expect(response.status == 422 && response.json["code"] == "insufficient_funds")
            #expect(try await reserved(world, user) == 0)
        }
    }

    @Test func `the database lets nothing that is held be completed`() async throws {
        try await with { world, _, user in
            let id = try await held(world, user)
            let pool = try world.member(.banking).runtime.pool
            let error = await #expect(throws: PostgresError.self) {
                try await pool.query("update banking.transfers set status = 'completed' where id = \(id)")
            }
            #expect(error?.state == "23514")
        }
    }
}
