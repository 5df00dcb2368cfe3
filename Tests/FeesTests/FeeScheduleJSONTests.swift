import Fees
import Kernel
import Testing

@Suite struct FeeScheduleJSONTests {
    private static let full = """
        {"id": "fsch_00000000000000000000000007", "version": 2, "operation": "banking.deposit.card", "asset": "USD",
         "effective_from": "2026-01-01T00:00:00.000000Z", "effective_to": "2027-01-01T00:00:00.000000Z",
         "allow_exceed": true, "rules": [
           {"rule": "a", "category": "premium", "text": "Fee", "terms": [
              {"flat": "0.30"}, {"percent": "2.9"}, {"graduated": [{"up_to": "10.00", "percent": "1", "flat": "0.10"},
              {"percent": "0.5"}]}, {"volume": [{"percent": "0.0000001"}]}],
            "minimum": "0.10", "maximum": "9.00", "cap_percent": "50", "allowance": {"amount": "100.00"},
            "tiers": {"2": {"discount_percent": "10"}, "5": {"terms": [{"percent": "0"}]}},
            "volume_discounts": [{"from": "10.00", "discount_percent": "5"},
              {"from": "20.00", "discount_percent": "6"}],
            "provider": "stripe", "premium_option": "instant", "refundable": false},
           {"rule": "b", "category": "network", "text": "Gas", "terms": [{"flat": "0.00"}], "allowance": {"count": 3}}]}
        """

    private func faults(_ change: (JSON) -> JSON) throws -> [String] {
        let json = change(try JSON.parse(Self.full.utf8))
        do {
            _ = try FeeSchedule(json: json)
            return []
        } catch {
            guard case .invalid(let faults) = error else { return ["\(error)"] }
            return faults.map { "\($0.pointer) \($0.code)" }
        }
    }

    @Test func `a schedule with everything is read and written the same`() throws {
        let schedule = try FeeSchedule(json: try JSON.parse(Self.full.utf8))
        #expect(schedule.domain == "banking")
        #expect(schedule.rules[0].terms.count == 4)
        #expect(schedule.rules.map(\.isRefundable) == [false, true])
        #expect(schedule.json == (try JSON.parse(Self.full.utf8)))
    }

    @Test(arguments: [
        ("id", "\"fqt_00000000000000000000000007\"", "malformed"), ("version", "0", "out_of_range"),
        ("version", "\"1\"", "wrong_type"), ("operation", "\"banking\"", "malformed"),
        ("operation", "\"Banking.x\"", "malformed"), ("operation", "\"banking..x\"", "malformed"),
        ("asset", "\"XYZ\"", "unknown_asset"), ("asset", "null", "required"),
        ("effective_from", "\"2026-01-01\"", "malformed"),
        ("effective_to", "\"2026-01-01T00:00:00Z\"", "not_after_effective_from"), ("allow_exceed", "1", "wrong_type"),
        ("rules", "{}", "wrong_type"), ("rules", "null", "required"), ("extra", "1", "unknown_field"),
    ])
    func `a faulty member of a schedule is named`(name: String, value: String, code: String) throws {
        let value = try JSON.parse(value.utf8)
        #expect(try faults { replacing(name, by: value, in: $0) } == ["/\(name) \(code)"])
    }

    @Test(arguments: [
        ("rule", "\"A\"", "/rule malformed"), ("rule", "\"b\"", "/rule duplicate"), ("rule", "1", "/rule wrong_type"),
        ("category", "\"tax\"", "/category unknown_category"), ("text", "\"\"", "/text out_of_range"),
        ("text", "\"a\\u0000\"", "/text control_character"), ("terms", "[]", "/terms empty"),
        ("terms", "[1]", "/terms/0 wrong_type"), ("terms", "[{}]", "/terms/0 needs_one_method"),
        ("terms", "[{\"flat\":\"1.00\",\"percent\":\"1\"}]", "/terms/0 needs_one_method"),
        ("terms", "[{\"fixed\":\"1.00\"}]", "/terms/0/fixed unknown_field"),
        ("terms", "[{\"flat\":1}]", "/terms/0/flat wrong_type"), ("terms", "[{\"flat\":\"-1\"}]", "/terms/0/flat sign"),
        ("terms", "[{\"flat\":\"0.001\"}]", "/terms/0/flat too_many_decimals"),
        ("terms", "[{\"percent\":\"100.1\"}]", "/terms/0/percent percent_over_100"),
        ("terms", "[{\"percent\":\"1e1\"}]", "/terms/0/percent exponent"),
        ("terms", "[{\"volume\":[]}]", "/terms/0/volume empty"),
        (
            "terms", "[{\"volume\":[{\"up_to\":\"1.00\",\"percent\":\"1\"}]}]",
            "/terms/0/volume/0/up_to last_band_has_an_end"
        ),
        (
            "terms", "[{\"graduated\":[{\"percent\":\"1\"},{\"percent\":\"2\"}]}]",
            "/terms/0/graduated/0/up_to required"
        ),
        (
            "terms", "[{\"volume\":[{\"up_to\":\"0.00\",\"percent\":\"1\"},{\"percent\":\"1\"}]}]",
            "/terms/0/volume/0/up_to not_ascending"
        ),
        ("minimum", "\"9.01\"", "/minimum above_maximum"), ("cap_percent", "\"101\"", "/cap_percent percent_over_100"),
        ("allowance", "{}", "/allowance needs_amount_or_count"),
        ("allowance", "{\"count\":0}", "/allowance/count not_positive"),
        ("allowance", "{\"amount\":\"0.00\"}", "/allowance/amount not_positive"),
        ("tiers", "{\"6\":{}}", "/tiers/6 unknown_field"), ("tiers", "{\"1\":{}}", "/tiers/1 needs_discount_or_terms"),
        ("tiers", "{\"1\":{\"terms\":[]}}", "/tiers/1/terms empty"),
        (
            "volume_discounts",
            "[{\"from\":\"2.00\",\"discount_percent\":\"1\"},{\"from\":\"2.00\",\"discount_percent\":\"1\"}]",
            "/volume_discounts/1/from not_ascending"
        ),
        ("volume_discounts", "[{\"from\":\"2.00\"}]", "/volume_discounts/0/discount_percent required"),
        ("provider", "\"Str ipe\"", "/provider malformed"), ("premium_option", "null", "/premium_option required"),
        ("premium_option", "\"-\"", "/premium_option malformed"), ("refundable", "\"no\"", "/refundable wrong_type"),
        ("colour", "1", "/colour unknown_field"),
    ])
    func `a faulty member of a rule is named`(name: String, value: String, fault: String) throws {
        let value = try JSON.parse(value.utf8)
        let found = try faults { json in
            let rules = json["rules"]?.elements ?? []
            return replacing("rules", by: .array([replacing(name, by: value, in: rules[0]), rules[1]]), in: json)
        }
        // A name taken twice is noted where it is taken the second time.
        #expect(found == [fault == "/rule duplicate" ? "/rules/1/rule duplicate" : "/rules/0" + fault])
    }

    @Test func `every fault is told at once`() throws {
        let found = try faults { replacing("version", by: "x", in: replacing("asset", by: "XYZ", in: $0)) }
        #expect(found == ["/version wrong_type", "/asset unknown_asset"])
    }

    @Test func `what passes no account of ours has no fees`() throws {
        func schedule(_ rules: [FeeRule]) throws -> FeeSchedule {
            try FeeSchedule(
                id: ID(7),
                version: 2,
                operation: "banking.ramp",
                asset: .usd,
                effectiveFrom: Fixture.instant,
                rules: rules
            )
        }
        #expect(throws: FeeScheduleError.invalid([.init("/rules", "not_chargeable")])) {
            try schedule([FeeRule("a", .platform, "Fee", terms: [.percentage(.one)])])
        }
        #expect(try schedule([]).rules.isEmpty)
    }

    @Test func `a rule in another asset or with too many parts is refused`() throws {
        let flat = FeeTerm.flat(Money(minorUnits: 1, .eur))
        #expect(throws: FeeScheduleError.invalid([.init("/rules/0/terms/0/flat", "other_asset")])) {
            try Fixture.schedule([FeeRule("a", .platform, "Fee", terms: [flat])])
        }
        let negative = FeeTerm.flat(Money(minorUnits: -1, .usd))
        #expect(throws: FeeScheduleError.invalid([.init("/rules/0/terms/0/flat", "negative")])) {
            try Fixture.schedule([FeeRule("a", .platform, "Fee", terms: [negative])])
        }
        let many = Array(repeating: FeeTerm.percentage(.one), count: FeeRule.termsMax + 1)
        #expect(throws: FeeScheduleError.invalid([.init("/rules/0/terms", "too_many")])) {
            try Fixture.schedule([FeeRule("a", .platform, "Fee", terms: many)])
        }
        let option = FeeRule("a", .platform, "Fee", terms: [.percentage(.one)], premiumOption: "instant")
        #expect(throws: FeeScheduleError.invalid([.init("/rules/0/premium_option", "premium_rules_only")])) {
            try Fixture.schedule([option])
        }
        let rules = (0...FeeSchedule.rulesMax).map { FeeRule("r\($0)", .platform, "Fee", terms: [.percentage(.one)]) }
        #expect(throws: FeeScheduleError.invalid([.init("/rules", "too_many")])) { try Fixture.schedule(rules) }
    }
}
