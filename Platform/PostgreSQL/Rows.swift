import CPostgres
import Glibc
import Synchronization

/// The rows that a statement returned, and how many it touched.
///
/// `@unchecked Sendable`: a PGresult is not changed after libpq handed it out, and is freed once, here.
public final class Rows: @unchecked Sendable {
    private let result: OpaquePointer
    /// The column after the one that was looked up last, which mostly is the next one.
    private let next = Atomic(0)

    init(_ result: OpaquePointer) { self.result = result }

    deinit { PQclear(result) }

    /// How many rows an insert, update or delete touched; 0 for other statements.
    public var affected: Int { Int(String(cString: PQcmdTuples(result))) ?? 0 }

    /// The command tag: `INSERT 0 1`, `COMMIT`, `ROLLBACK`.
    public var tag: String { String(cString: PQcmdStatus(result)) }

    /// The position of a column.
    ///
    /// Columns that are asked for in their order are found at once: libpq compares with all names before it.
    public func column(_ name: String) throws(DecodingFailure) -> Int {
        let likely = next.load(ordering: .relaxed)
        var column = Int32(likely)
        if likely >= Int(PQnfields(result)) || strcmp(PQfname(result, column), name) != 0 {
            column = PQfnumber(result, name)
            guard column >= 0 else { throw .noColumn(name) }
        }
        next.store(column + 1 < PQnfields(result) ? Int(column) + 1 : 0, ordering: .relaxed)
        return Int(column)
    }

    var columnCount: Int { Int(PQnfields(result)) }

    func cell(_ row: Int, _ column: Int) -> SQLCell? {
        let (row, column) = (Int32(row), Int32(column))
        guard PQgetisnull(result, row, column) == 0 else { return nil }
        let bytes = UnsafeRawBufferPointer(
            start: PQgetvalue(result, row, column),
            count: Int(PQgetlength(result, row, column))
        )
        return SQLCell(bytes: bytes, type: PQftype(result, column))
    }
}

extension Rows: RandomAccessCollection {
    /// Zero.
    public var startIndex: Int { 0 }
    /// The number of rows.
    public var endIndex: Int { Int(PQntuples(result)) }
    /// The row at a position.
    public subscript(position: Int) -> Row { Row(rows: self, index: position) }
}

/// A row's values, one after the other in the order of its columns.
///
/// For many rows: looking a column up by its name takes as long as reading it.
public struct RowValues {
    private let row: Row
    private var column = 0

    init(_ row: Row) { self.row = row }

    /// The next value.
    ///
    /// Throws a `DecodingFailure`, `noColumn` after the last one.
    public mutating func next<Value: SQLDecodable>() throws(DecodingFailure) -> Value {
        guard column < row.rows.columnCount else { throw .noColumn("number \(column)") }
        defer { column += 1 }
        return try row[column]
    }
}

/// One row of a result; its values are read by column name or position.
public struct Row: Sendable {
    let rows: Rows
    let index: Int

    /// The value of a column by name.
    ///
    /// Throws a `DecodingFailure`.
    public subscript<Value: SQLDecodable>(_ name: String) -> Value {
        get throws(DecodingFailure) { try self[try rows.column(name)] }
    }

    /// The value of a column by its position.
    ///
    /// Throws a `DecodingFailure`.
    public subscript<Value: SQLDecodable>(_ column: Int) -> Value {
        get throws(DecodingFailure) { try Value(cell: rows.cell(index, column)) }
    }

    /// All of them, from the first column on.
    public var values: RowValues { RowValues(self) }
}
