import Fees
import Kernel
import Testing

@Suite struct FeeRecomputationTests {
    private func example() throws -> (FeeQuote, FeeSchedule) {
        let rules = [
            FeeRule(
                "card_platform",
                .platform,
                "Adding money",
                terms: [.percentage(try percent("0.5"))],
                allowance: .amount(try usd("10.00"))
            ),
            FeeRule("processing", .provider, "Card", terms: [.percentage(try percent("2.9")), .flat(try usd("0.30"))]),
        ]
        let schedule = try Fixture.schedule(rules)
        let context = FeeContext(
            amount: try usd("33.33"),
            tier: .tier3,
            monthVolume: try usd("5.00"),
            provider: "stripe",
            used: ["card_platform": FeeUsage(amount: try usd("4.00"), count: 1)]
        )
        return (try FeeEngine.quote(context, schedule: schedule, id: ID(5), at: Fixture.instant), schedule)
    }

    @Test func `a stored quote is read and recomputed bit for bit`() throws {
        let (quote, schedule) = try example()
        let stored = try FeeQuote(json: try JSON.parse(quote.json.serialized()))
        #expect(stored == quote)
        let again = try FeeEngine.recompute(stored, schedule: schedule)
        #expect(again.isIdentical)
        #expect(again.lines == quote.lines)
        #expect(again.total == quote.total)
        #expect(
            again.explanation == [
                "1. platform card_platform (Adding money), fsch_00000000000000000000000007 version 3: "
                    + "0.5 % on 27.33 USD is 0.13665; rounded 0.14 USD, actual",
                "2. provider processing (Card), fsch_00000000000000000000000007 version 3: "
                    + "2.9 % + 0.30 USD on 33.33 USD is 1.26657; rounded 1.26 USD, estimated",
                "total: 1.40322, rounded once, half-even, 1.40 USD, the lines by largest remainder",
            ]
        )
    }

    @Test func `whatever was changed in the store is found`() throws {
        let (quote, schedule) = try example()
        for (field, value) in [
            ("amount", JSON.string("1.28")), ("raw", "1.2666"), ("base", "33.34"), ("rate", "2.9 %"),
            ("version", .integer(4)),
            ("category", "network"), ("rule", "other"), ("text", "Other"), ("kind", "actual"), ("bound", "cap"),
            ("refundable", false), ("sequence", .integer(3)),
            ("allowance_taken", ["amount": "1.00", "count": .integer(0)]),
        ] {
            let line = try FeeLine(json: replacing(field, by: value, in: quote.lines[1].json), asset: .usd)
            let again = try FeeEngine.recompute(
                [quote.lines[0], line],
                total: quote.total,
                context: quote.context,
                schedule: schedule
            )
            #expect(again.differences.map(\.field) == [field])
            #expect(again.differences.map(\.sequence) == [2])
        }
        let other = try FeeEngine.recompute(
            quote.lines,
            total: try usd("0.01"),
            context: quote.context,
            schedule: schedule
        )
        #expect(other.differences.map(\.field) == ["total"])
        let fewer = try FeeEngine.recompute(
            [quote.lines[0]],
            total: quote.total,
            context: quote.context,
            schedule: schedule
        )
        #expect(!fewer.isIdentical && fewer.differences.allSatisfy { $0.stored == nil && $0.sequence == 2 })
        let more = try FeeEngine.recompute(
            quote.lines + quote.lines,
            total: quote.total,
            context: quote.context,
            schedule: schedule
        )
        #expect(!more.isIdentical && more.differences.allSatisfy { $0.recomputed == nil && $0.sequence > 2 })
    }

    @Test(arguments: [
        "id", "schedule", "version", "operation", "asset", "context", "lines", "total", "quoted_at", "expires_at",
    ])
    func `a stored quote with a member missing is refused`(name: String) throws {
        let (quote, _) = try example()
        #expect(throws: FeeQuoteError.invalid([.init("/" + name, "required")])) {
            try FeeQuote(json: replacing(name, by: .null, in: quote.json))
        }
    }

    @Test func `a stored context with faults is refused`() throws {
        let json = try example().0.context.json
        for (field, value, fault) in [
            ("tier", JSON.integer(6), Problem.Fault("/tier", "unknown_tier")),
            ("used", "x", .init("/used", "wrong_type")),
            ("used", ["a": ["amount": "0.00", "count": .integer(-1)]], .init("/used/a/count", "negative")),
            ("amount", .integer(1), .init("/amount", "wrong_type")), ("more", true, .init("/more", "unknown_field")),
        ] {
            #expect(throws: FeeQuoteError.invalid([fault])) {
                try FeeContext(json: replacing(field, by: value, in: json), asset: .usd)
            }
        }
    }
}

/// An object with one member set to another value, or added.
func replacing(_ name: String, by value: JSON, in json: JSON) -> JSON {
    guard case .object(let members) = json else { return json }
    if json[name] == nil { return .object(members + [.init(name, value)]) }
    return .object(members.map { $0.name == name ? .init(name, value) : $0 })
}
