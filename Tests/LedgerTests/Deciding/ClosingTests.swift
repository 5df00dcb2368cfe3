import Kernel
import Testing

@testable import Ledger

@Suite struct ClosingTests {
    private typealias F = CoreFixture

    @Test func `nothing is posted to, held on or counted for a closed account`() throws {
        var core = F.core()
        try core.done(.close(F.bob))
        for command in [
            F.pay(1, F.alice, F.bob), .close(F.bob),
            .reserve(NewReservation(id: ID(501), account: F.bob, amount: 1, kind: "withdrawal")),
            F.use(1, day: 100, of: F.bob),
        ] { #expect(core.refusal(command) == .accountClosed(F.bob)) }
    }

    @Test func `an account with money on it, or held, isn't closed`() throws {
        var core = F.core()
        #expect(core.refusal(.close(F.alice)) == .accountNotEmpty(F.alice))
        #expect(core.refusal(.close(ID(999))) == .unknownAccount(ID(999)))
        try core.done(F.pay(1, F.alice, F.bob))
        #expect(core.refusal(.close(F.bob)) == .accountNotEmpty(F.bob))
        try core.done(F.pay(1, F.bob, F.alice, id: F.transfer(102)), .close(F.bob))
    }

    @Test func `a closing that is refused with its operation leaves the account open`() throws {
        var core = F.core()
        #expect(core.refusal(.close(F.bob), F.pay(61, F.alice, F.house)) != nil)
        try core.done(F.pay(1, F.alice, F.bob))
    }
}
