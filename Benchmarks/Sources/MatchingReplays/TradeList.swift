import Foundation
import MatchingEngine

/// Writes the trades of a workload: `op_index,symbol,taker_id,maker_id,price,quantity`, a line each, no heading.
struct TradeList {
    private static let bufferBytes = 1 << 20

    private let file: FileHandle
    private var buffer: [UInt8] = []

    /// - Throws: `WorkloadError.unwritable`.
    static func write(_ workload: Workload, to path: String) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let file = FileHandle(forWritingAtPath: path)
        else { throw WorkloadError.unwritable(path) }
        var list = TradeList(file: file)
        let log = EventLog()
        let books = books(workload, log: log, collectsLevels: false)
        do {
            for (index, operation) in workload.operations.enumerated() {
                books[Int(operation.symbol)].apply(operation)
                for position in 0..<log.count {
                    if case .trade(let trade) = log[position] { try list.add(trade, index, operation.symbol) }
                }
                log.removeAll()
            }
            try list.flush()
            try file.close()
        } catch {
            throw WorkloadError.unwritable(path)
        }
    }

    private init(file: FileHandle) { self.file = file }

    private mutating func add(_ trade: Trade, _ index: Int, _ symbol: UInt16) throws {
        for part in [Int128(index), Int128(symbol), Int128(trade.taker), Int128(trade.maker), Int128(trade.price)] {
            buffer.append(contentsOf: String(part).utf8)
            buffer.append(UInt8(ascii: ","))
        }
        buffer.append(contentsOf: String(trade.quantity).utf8)
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= TradeList.bufferBytes { try flush() }
    }

    private mutating func flush() throws {
        try file.write(contentsOf: buffer)
        buffer.removeAll(keepingCapacity: true)
    }
}
