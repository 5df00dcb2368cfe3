import Foundation
import Testing

/// Many requests for the same money at once.
@Suite(.serialized)
struct RaceTests {
    private static let parallel = 40

    @Test func `more payments at once than there is money for leave nothing below zero`() async throws {
        let server = try await SharedServer.get()
        let (payer, payee) = (try await Customer.make("race", on: server), try await Customer.make("goal", on: server))
        try await payer.deposit()
        let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<RaceTests.parallel { group.addTask { try await payer.pay("@\(payee.username)", "5.00") } }
            return try await group.reduce(into: [Answer]()) { $0.append($1) }
        }
        // 96.30 pay for eighteen times 5.10.
        #expect(answers.count { $0.status == 201 } == 18)
        for answer in answers where answer.status != 201 {
            Problems.check(answer, 422, "insufficient_funds", "a payment too many")
        }
        #expect(try await payer.dollars() == "4.50")
        #expect(try await payee.dollars() == "90.00")
        try await Books.verify(server)
    }

    @Test func `money that goes both ways at once is neither made nor lost`() async throws {
        let server = try await SharedServer.get()
        let (left, right) = (try await Customer.make("left", on: server), try await Customer.make("right", on: server))
        try await left.deposit()
        try await right.deposit()
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<RaceTests.parallel {
                let (payer, payee) = number.isMultiple(of: 2) ? (left, right) : (right, left)
                group.addTask { try await payer.pay("@\(payee.username)", "1.00").status }
            }
            return try await group.reduce(into: [Int]()) { $0.append($1) }
        }
        #expect(statuses.allSatisfy { $0 == 201 })
        // Twenty came, twenty went, and each that went cost 0.10.
        #expect(try await left.dollars() == "94.30")
        #expect(try await right.dollars() == "94.30")
        try await Books.verify(server)
    }
}
