import Foundation
import MatchingEngine

/// A file of operations, read and checked whole before anything runs.
///
/// Little endian. 64 bytes: `MATCHWL1`, u32 version 1, u32 symbols, u64 operations, u64 highest order id, i64 lowest
/// price, u64 prices, u64 seed, u64 reserved. Then 32 bytes an operation, as in `Operation`.
struct Workload {
    static let magic = Array("MATCHWL1".utf8)
    static let headerBytes = 64
    static let operationBytes = 32
    static let symbolsMax = 65_536
    /// 2^28 operations are 8 GiB.
    static let operationsMax: UInt64 = 1 << 28

    var symbols: Int
    var maxID: UInt64
    var basePrice: Int64
    var ladder: UInt64
    var seed: UInt64
    var operations: ContiguousArray<Operation>

    /// The lowest and the highest price.
    var prices: ClosedRange<Int64> {
        basePrice...Int64(clamping: Int128(basePrice) + Int128(ladder) - 1)
    }

    /// Reads a file.
    ///
    /// - Throws: `WorkloadError` at the first thing that is wrong.
    init(path: String) throws {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
        } catch {
            throw WorkloadError.unreadable(path)
        }
        self = try data.withUnsafeBytes { try Workload($0) }
    }

    init(_ bytes: UnsafeRawBufferPointer) throws {
        guard bytes.count >= Workload.headerBytes else { throw WorkloadError.truncated(bytes.count) }
        guard bytes[0..<8].elementsEqual(Workload.magic) else { throw WorkloadError.wrongMagic }
        func u32(_ offset: Int) -> UInt32 {
            UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        func u64(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        guard u32(8) == 1 else { throw WorkloadError.badVersion(u32(8)) }
        let count = u64(16)
        guard (1...Workload.symbolsMax).contains(Int(u32(12))) else { throw WorkloadError.symbolCount(u32(12)) }
        guard count <= Workload.operationsMax else { throw WorkloadError.operationCount(count) }
        let expected = Workload.headerBytes + Int(count) * Workload.operationBytes
        guard bytes.count >= expected else { throw WorkloadError.truncated(bytes.count) }
        guard bytes.count == expected else { throw WorkloadError.tooLong(bytes.count - expected) }
        (symbols, maxID) = (Int(u32(12)), u64(24))
        (basePrice, ladder, seed) = (Int64(bitPattern: u64(32)), u64(40), u64(48))
        guard ladder > 0, Int128(basePrice) + Int128(ladder) - 1 <= Int128(Int64.max) else {
            throw WorkloadError.badLadder
        }
        operations = []
        operations.reserveCapacity(Int(count))
        for index in 0..<Int(count) {
            let operation = try Operation(bytes, at: Workload.headerBytes + index * Workload.operationBytes, index)
            try check(operation, index)
            operations.append(operation)
        }
    }

    init(symbols: Int, basePrice: Int64, ladder: UInt64, seed: UInt64) {
        (self.symbols, self.basePrice, self.ladder, self.seed) = (symbols, basePrice, ladder, seed)
        (maxID, operations) = (0, [])
    }

    private func check(_ operation: Operation, _ index: Int) throws {
        guard Int(operation.symbol) < symbols else { throw WorkloadError.symbol(index, operation.symbol) }
        guard operation.id >= 1 && operation.id <= maxID else { throw WorkloadError.id(index, operation.id) }
        if operation.kind != .cancel && operation.kind != .market && !prices.contains(operation.price) {
            throw WorkloadError.price(index, operation.price)
        }
        let least: Int64 = operation.kind == .amend ? 0 : 1
        if operation.kind != .cancel && operation.quantity < least {
            throw WorkloadError.quantity(index, operation.quantity)
        }
    }

    /// Writes the file.
    func write(to path: String) throws {
        var bytes = Data(capacity: Workload.headerBytes + operations.count * Workload.operationBytes)
        bytes.append(contentsOf: Workload.magic)
        func append(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        append(UInt32(1))
        append(UInt32(symbols))
        for word in [UInt64(operations.count), maxID, UInt64(bitPattern: basePrice), ladder, seed, 0] { append(word) }
        for operation in operations {
            for byte in [operation.kind.rawValue, operation.side, operation.timeInForce, operation.flags] {
                append(byte)
            }
            append(operation.symbol)
            append(operation.owner)
            append(operation.id)
            append(operation.price)
            append(operation.quantity)
        }
        do {
            try bytes.write(to: URL(fileURLWithPath: path))
        } catch {
            throw WorkloadError.unwritable(path)
        }
    }
}

/// Why a file isn't replayed.
enum WorkloadError: Error, CustomStringConvertible {
    case unreadable(String)
    case unwritable(String)
    case truncated(Int)
    case tooLong(Int)
    case wrongMagic
    case badVersion(UInt32)
    case symbolCount(UInt32)
    case operationCount(UInt64)
    case badLadder
    case kind(Int, UInt8)
    case side(Int, UInt8)
    case timeInForce(Int, UInt8)
    case mode(Int, UInt8)
    case symbol(Int, UInt16)
    case id(Int, UInt64)
    case price(Int, Int64)
    case quantity(Int, Int64)

    var description: String {
        switch self {
        case .unreadable(let path): "\(path) can't be read"
        case .unwritable(let path): "\(path) can't be written"
        case .truncated(let bytes): "the file is truncated: it ends after \(bytes) bytes"
        case .tooLong(let bytes): "the file has \(bytes) bytes after its last operation"
        case .wrongMagic: "the file doesn't begin with MATCHWL1"
        case .badVersion(let version): "version \(version) isn't 1"
        case .symbolCount(let count): "\(count) symbols: from 1 to \(Workload.symbolsMax) are possible"
        case .operationCount(let count): "\(count) operations: at most \(Workload.operationsMax) are possible"
        case .badLadder: "the range of prices is empty or exceeds 64 bits"
        case .kind(let index, let value): "operation \(index): unknown type \(value)"
        case .side(let index, let value): "operation \(index): unknown side \(value)"
        case .timeInForce(let index, let value): "operation \(index): unknown time in force \(value)"
        case .mode(let index, let value): "operation \(index): unknown self-trade prevention mode \(value)"
        case .symbol(let index, let value): "operation \(index): symbol \(value) is out of range"
        case .id(let index, let value): "operation \(index): order id \(value) is out of range"
        case .price(let index, let value): "operation \(index): price \(value) is outside the ladder"
        case .quantity(let index, let value): "operation \(index): quantity \(value) isn't positive"
        }
    }
}
