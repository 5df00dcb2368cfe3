import Kernel
import PostgreSQL
import Randomness
import TestSupport
import Testing

/// A value goes to the server and comes back, alone and in arrays, and the server reads it as we mean it.
struct CodingTests {
    private enum Colour: String, SQLEncodable, SQLDecodable { case red, green }

    private struct Thing: Entity { static let idPrefix = "thing" }

    private func roundTrip<Value: SQLEncodable & SQLDecodable & Equatable>(
        _ pool: Pool,
        _ values: [Value],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        for value in values {
            let row = try await pool.query("select \(value)")[0]
            let back: Value = try row[0]
            #expect(back == value, sourceLocation: sourceLocation)
            let maybe: Value? = try row[0]
            #expect(maybe == value, sourceLocation: sourceLocation)
        }
        let array: [Value] = try await pool.query("select \(values)")[0][0]
        #expect(array == values, sourceLocation: sourceLocation)
        let unnested = try await pool.query(
            "select value from unnest(\(values)) with ordinality u (value, n) order by n"
        )
        #expect(try unnested.map { row -> Value in try row["value"] } == values, sourceLocation: sourceLocation)
        let holes: [Value?] = [nil] + values.flatMap { [$0, nil] }
        let backHoles: [Value?] = try await pool.query("select \(holes)")[0][0]
        #expect(backHoles == holes, sourceLocation: sourceLocation)
        let none: [Value] = try await pool.query("select \([Value]())")[0][0]
        #expect(none.isEmpty, sourceLocation: sourceLocation)
        let null: Value? = try await pool.query("select \(Value?.none)")[0][0]
        #expect(null == nil, sourceLocation: sourceLocation)
    }

    @Test func `every type makes the round trip`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool()
            try await roundTrip(pool, [true, false])
            try await roundTrip(pool, [0, 1, -1, .max, .min] as [Int])
            try await roundTrip(pool, [0, .max, .min] as [Int64])
            try await roundTrip(
                pool,
                [0, -0.0, 1.5, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude]
            )
            try await roundTrip(
                pool,
                ["", "a", "it's \"so\", {x} \\ NULL", "äöü 🦊", String(repeating: "x", count: 100_000)]
            )
            try await roundTrip(pool, [Colour.red, .green])
            try await roundTrip(pool, [Bytes([]), Bytes([0, 255]), Bytes((0...255).map { UInt8($0) })])
            try await roundTrip(pool, [0, 1, .max] as [UInt128])
            try await roundTrip(pool, [ID<Thing>(0), IDGenerator().next(), ID<Thing>(.max)])
            try await roundTrip(pool, [Timestamp(microseconds: 0), Timestamp(microseconds: -1), SystemClock().now()])
            try await roundTrip(pool, [-719_162, 0, 10_957, 2_932_896].map(CalendarDay.init(daysSince1970:)))
            try await roundTrip(pool, [JSON.null, .string("ä\"\\"), .array([.bool(true), .object([])])])
        }
    }

    @Test func `whole numbers of 128 bits make the round trip`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool()
            let seed = UInt64.random(in: .min ... .max)
            var random = SeededRandom(seed)
            var values: [Int128] = [0, 1, -1, 9_999, 10_000, -10_000, 100_000_000, .max, .min, .max - 1, .min + 1]
            var power: Int128 = 1
            for _ in 0..<38 {
                values += [power, power - 1, power + 1, -power]
                power = power.multipliedReportingOverflow(by: 10).partialValue
            }
            for _ in 0..<500 {
                values.append(
                    Int128(truncatingIfNeeded: UInt128.random(in: .min ... .max, using: &random))
                        >> Int.random(in: 0..<128, using: &random)
                )
            }
            let row = try await pool.query("select \(values), \(values)::text[]")[0]
            let (back, texts): ([Int128], [String]) = (try row[0], try row[1])
            #expect(back == values, "seed \(seed)")
            #expect(texts == values.map(\.description), "seed \(seed)")
            let fromText: [Int128] = try await pool.query("select \(values.map(\.description))::numeric[]")[0][0]
            #expect(fromText == values, "seed \(seed)")
        }
    }

    @Test(
        arguments: [
            ("'12.5'::numeric"), ("'0.0001'::numeric"), ("'NaN'::numeric"), ("'Infinity'::numeric"),
            ("'-Infinity'::numeric"),
            ("'170141183460469231731687303715884105728'::numeric"),
            ("'-170141183460469231731687303715884105729'::numeric"),
            ("1e50::numeric"),
        ])
    func `a number that is no whole one of 128 bits is refused`(_ expression: String) async throws {
        try await TestDatabase.with(.empty) { database in
            let rows = try await database.pool().withConnection {
                try await $0.execute(script: "create view v as select \(expression) as n")
            }
            #expect(rows.count == 1)
            let row = try await database.pool().query("select n from v")[0]
            let error = #expect(throws: DecodingFailure.self) {
                let _: Int128 = try row["n"]
            }
            guard case .unrepresentable = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test func `numbers with a scale but without decimals are whole`() async throws {
        try await TestDatabase.with(.empty) { database in
            let row = try await database.pool().query(
                "select 12.00::numeric(10, 2), 7::smallint, 8::integer, 9::bigint, -120000.0::numeric, 0.000::numeric"
            )[0]
            let values: [Int128] = try (0..<6).map { column in try row[column] }
            #expect(values == [12, 7, 8, 9, -120_000, 0])
            let (small, medium): (Int, Int64) = (try row[1], try row[2])
            #expect((small, medium) == (7, 8))
        }
    }

    @Test func `the server reads values as they are meant`() async throws {
        try await TestDatabase.with(.empty) { database in
            let instant = try #require(Timestamp("2026-11-20T08:30:00.123456Z"))
            let day = try #require(CalendarDay("2026-02-28"))
            let id = try #require(ID<Thing>(uuid: "018f2d3c-0000-7000-8000-000000000001"))
            let json = try JSON.parse(Array(#"{"b":[null],"a":"x"}"#.utf8))
            let row = try await database.pool().query(
                """
                select \(instant)::text, \(day)::text, \(id)::text, \(json)::text, \(Bytes([1, 255]))::text,
                    \(-1.5)::text,
                    \(["a,b", "", "\"q\""])::text, pg_typeof(\(Int128(1)))::text, pg_typeof(\([id]))::text
                """
            )[0]
            let texts: [String] = try (0..<9).map { column in try row[column] }
            #expect(
                texts == [
                    "2026-11-20 08:30:00.123456+00", "2026-02-28", "018f2d3c-0000-7000-8000-000000000001",
                    #"{"a": "x", "b": [null]}"#, #"\x01ff"#, "-1.5", #"{"a,b","","\"q\""}"#, "numeric", "uuid[]",
                ]
            )
        }
    }

    @Test func `what a type can't hold is refused, never guessed`() async throws {
        try await TestDatabase.with(.empty) { database in
            let row = try await database.pool().query(
                """
                select null::bigint as nothing, 'blue' as colour, 'infinity'::timestamptz as instant,
                    'infinity'::date as day, 1.5::double precision as fraction, array[array[1], array[2]] as matrix,
                    array[1, null]::bigint[] as holes,
                    'a text that is long enough' as text, '294276-12-31 23:59:59+00'::timestamptz as late, 1 as one
                """
            )[0]
            func failure<Value: SQLDecodable>(_: Value.Type, _ column: String) -> DecodingFailure? {
                do throws(DecodingFailure) {
                    let _: Value = try row[column]
                    return nil
                } catch {
                    return error
                }
            }
            #expect(failure(Int.self, "nothing") == .null)
            #expect(failure(Int?.self, "nothing") == nil)
            #expect(failure(Colour.self, "colour") == .unrepresentable("blue"))
            #expect(failure(Timestamp.self, "instant") == .unrepresentable("infinity, or beyond 64 bits"))
            #expect(failure(Timestamp.self, "late") == .unrepresentable("infinity, or beyond 64 bits"))
            #expect(failure(CalendarDay.self, "day") == .unrepresentable("infinity"))
            #expect(failure(Int.self, "fraction") == .wrongType(701))
            #expect(failure([Int].self, "matrix") == .unrepresentable("an array of several dimensions"))
            #expect(failure([Int].self, "holes") == .null)
            #expect(failure([Int?].self, "holes") == nil)
            #expect(failure([Int].self, "text") == .wrongType(25))
            #expect(failure([Bool].self, "holes") == .wrongType(20))
            #expect(failure(String.self, "one") == .wrongType(23))
            #expect(failure(Int.self, "two") == .noColumn("two"))
        }
    }

    @Test func `a row's values are read one after the other, and none beyond the last`() async throws {
        try await TestDatabase.with(.empty) { database in
            let rows = try await database.pool().query(
                "select 1 as a, 'two' as a, null::text, n from generate_series(3, 4) n"
            )
            for (row, last) in zip(rows, [3, 4]) {
                var values = row.values
                let (one, two): (Int, String) = (try values.next(), try values.next())
                let (none, number): (String?, Int) = (try values.next(), try values.next())
                #expect(one == 1 && two == "two" && none == nil && number == last)
                #expect(throws: DecodingFailure.noColumn("number 4")) { let _: String? = try values.next() }
            }
            var wrong = rows[0].values
            #expect(throws: DecodingFailure.wrongType(23)) { let _: String = try wrong.next() }
        }
    }

    @Test func `a text with a zero byte is refused by the server`() async throws {
        try await TestDatabase.with(.empty) { database in
            let error = await #expect(throws: PostgresError.self) {
                try await database.pool().query("select \("a\0b")")
            }
            #expect(error?.state == "22021")
        }
    }

    @Test func `fragments keep their values when they are put together`() async throws {
        try await TestDatabase.with(.empty) { database in
            var sql: SQL = "select \(1), \("a")"
            sql += ", \(2)"
            let tail: SQL = "\(sql), \(true)"
            #expect(tail.text == "select $1, $2, $3, $4")
            let whole: SQL = "select \(0) as first, inner_row.* from (\(tail)) inner_row (a, b, c, d)"
            #expect(whole.text.contains("select $2, $3, $4, $5"))
            let row = try await database.pool().query(whole)[0]
            let (first, text, number, flag): (Int, String, Int, Bool) = (try row[0], try row[2], try row[3], try row[4])
            #expect((first, text, number, flag) == (0, "a", 2, true))
        }
    }
}
