import Kernel
import OutboundHTTP
import Testing
import WalletCrypto

@testable import DeFi

/// What is offered for gas.
struct GasTests {
    private static let gwei = BigUInt.powerOfTen(9)

    private func gwei(_ count: Int) -> BigUInt { BigUInt(count) * Self.gwei }

    @Test func `speeds differ in the tip, and the fee leaves room for a rising base fee`() throws {
        let history = FeeHistory(
            nextBaseFee: gwei(10),
            tips: [[gwei(1), gwei(2), gwei(3)], [gwei(1), gwei(4), gwei(9)], [gwei(2), gwei(5), gwei(10)]]
        )
        let prices = try GasPrice.Speed.allCases.map { try GasPrice(history, $0, ceiling: gwei(200)) }
        #expect(prices.map(\.tip) == [gwei(1), gwei(4), gwei(9)])
        #expect(prices.map(\.maxFee) == [gwei(21), gwei(24), gwei(29)])
    }

    @Test func `a chain that nobody uses gets the least tip`() throws {
        let history = FeeHistory(nextBaseFee: gwei(1), tips: [])
        #expect(try GasPrice(history, .fast, ceiling: gwei(200)).tip == GasPrice.tipMin)
    }

    @Test func `the ceiling cuts the room, and refuses what is needed above it`() throws {
        let history = FeeHistory(nextBaseFee: gwei(10), tips: [[gwei(1), gwei(1), gwei(1)]])
        #expect(try GasPrice(history, .normal, ceiling: gwei(15)).maxFee == gwei(15))
        #expect(throws: GasPrice.TooExpensive(needed: gwei(11), ceiling: gwei(10))) {
            _ = try GasPrice(history, .normal, ceiling: gwei(10))
        }
    }

    @Test func `what replaces a waiting one offers an eighth more at least`() {
        let waiting = GasPrice(maxFee: gwei(80), tip: gwei(8))
        let next = GasPrice(maxFee: gwei(50), tip: gwei(20)).replacing(waiting)
        #expect(next == GasPrice(maxFee: gwei(90), tip: gwei(20)))
    }

    @Test(arguments: [
        ("already known", Reception.accepted), ("nonce too low: next nonce 4, tx nonce 3", .nonceTooLow),
        ("replacement transaction underpriced", .underpriced),
        ("max fee per gas less than block base fee: maxFeePerGas: 1", .underpriced),
        ("insufficient funds for gas * price + value", .insufficientFunds),
        ("intrinsic gas too low: gas 20000", .refused("intrinsic gas too low: gas 20000")),
    ])
    func `what a node says of a transaction is understood`(message: String, reception: Reception) {
        #expect(Reception(.refused(code: -32_000, message: message)) == reception)
    }

    @Test func `what a node doesn't say is unknown, never done`() {
        let errors: [NodeError] = [
            .refused(code: -32_000, message: "injected fault"), .malformed("hash"),
            .unreachable(.outcomeUnknown, why: "timed_out"),
        ]
        for error in errors {
            guard case .unknown = Reception(error) else {
                Issue.record("\(error)")
                continue
            }
        }
    }
}
