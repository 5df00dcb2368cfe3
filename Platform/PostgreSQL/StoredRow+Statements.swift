public import Kernel

extension Array where Element == any StoredRow {
    /// The statements for rows of several types: the types in the order of their first row.
    public func statements(in schema: Schema, at instant: Timestamp) -> [SQL] {
        var order: [ObjectIdentifier] = []
        var groups: [ObjectIdentifier: [any StoredRow]] = [:]
        for row in self {
            let type = ObjectIdentifier(type(of: row))
            if groups[type] == nil { order.append(type) }
            groups[type, default: []].append(row)
        }
        return order.flatMap { type in
            guard let rows = groups[type], let first = rows.first else { return [SQL]() }
            return first.statementsForAll(rows, schema, instant)
        }
    }
}

extension StoredRow {
    fileprivate func statementsForAll(_ rows: [any StoredRow], _ schema: Schema, _ instant: Timestamp) -> [SQL] {
        let mine = rows.compactMap { $0 as? Self }
        var statements = Self.store(mine, in: schema, at: instant)
        if Self.mustTouchEachRow, let last = statements.popLast() {
            // Checked by the server, so that a mismatch stops the commit which travels in the same round trip.
            statements.append(
                "with touched as (\(last)) select blocks.expect_rows(count(*), \(mine.count)) from touched"
            )
        }
        return statements
    }
}
