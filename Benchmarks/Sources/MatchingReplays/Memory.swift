import ArgumentParser
import Foundation
import MatchingEngine

/// Measures what resting orders take.
struct Memory: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Measure what a resting order takes in a book's memory.")

    @Option(help: "How many orders rest.")
    var orders = 1_000_000

    @Option(help: "On how many prices; beyond a book's window too.")
    var prices = 20_000

    @Option(help: "How many ticks the prices are apart.")
    var step = 1

    func validate() throws {
        guard (1...10_000_000).contains(orders) else { throw ValidationError("--orders is from 1 to 10,000,000.") }
        guard (1...1_000_000).contains(prices) else { throw ValidationError("--prices is from 1 to 1,000,000.") }
        guard (1...1_000_000).contains(step) else { throw ValidationError("--step is from 1 to 1,000,000.") }
    }

    func run() throws {
        let before = Memory.residentBytes
        let book = OrderBook(log: nil, collectsLevels: false)
        for number in 1...orders {
            let order = NewOrder(
                number: UInt64(number),
                owner: UInt32(number % 1_000),
                side: .buy,
                type: .limit,
                price: Int64(1 + (number &* 7_919) % prices * step),
                quantity: 1
            )
            book.place(order, at: 0)
        }
        let resident = max(0, Memory.residentBytes - before)
        print(
            "engine=bare live=\(book.liveOrders) prices=\(prices) step=\(step) "
                + "allocated=\(book.allocatedBytes / orders) bytes/order resident=\(resident / orders) bytes/order"
        )
    }

    /// Bytes of this process that are in memory now, of `/proc/self/statm` (proc(5): the second number, in pages).
    private static var residentBytes: Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let fields = text.split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
    }
}
