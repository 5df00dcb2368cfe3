public import Kernel

/// A row that commits together with others: many rows of one type become a few set-based statements.
public protocol StoredRow: Sendable {
    /// Statements that store the rows, in order, in the round trip that ends a batch.
    ///
    /// It is pure. `rows` is not empty; `at` is the batch's instant by the database's clock. A statement that must
    /// touch exactly `rows.count` rows ends in `returning 1` and doesn't begin with `with`.
    static func store(_ rows: [Self], in schema: Schema, at: Timestamp) -> [SQL]

    /// Whether the last statement of `store` must return as many rows as it was given; else the batch takes no effect.
    static var mustTouchEachRow: Bool { get }

    /// Whether its statements lock no row that others write and insert under new ids alone, so that they never wait for
    /// another transaction and don't care what was stored before them.
    static var waitsForNobody: Bool { get }
}

extension StoredRow {
    /// True: a row that isn't there, or isn't as expected, breaks the batch.
    public static var mustTouchEachRow: Bool { true }

    /// False.
    public static var waitsForNobody: Bool { false }
}
