import Foundation
import Kernel
import Testing

/// Input that is wrong: refused with a problem document, and nothing moves.
@Suite(.serialized)
struct BadInputTests {
    /// A request that is refused.
    struct Case: Sendable {
        let name: String
        let status: Int
        let code: String
        var method = "POST"
        var path = "/v1/banking/payments"
        var body: [UInt8]?
        var headers: [(String, String)] = []

        /// A payment with one member of its body replaced; `raw` is JSON.
        init(
            _ name: String,
            _ status: Int,
            _ code: String,
            amount: String = #""1.00""#,
            asset: String = #""USD""#,
            more: String = ""
        ) {
            (self.name, self.status, self.code) = (name, status, code)
            body = Array(#"{"payee":"@ada","amount":\#(amount),"asset":\#(asset)\#(more)}"#.utf8)
        }

        /// A payment with a body of its own.
        init(_ name: String, _ status: Int, _ code: String, body: [UInt8], headers: [(String, String)] = []) {
            (self.name, self.status, self.code, self.body, self.headers) = (name, status, code, body, headers)
        }

        /// Another request.
        init(_ name: String, _ status: Int, _ code: String, _ method: String, _ path: String, _ body: String? = nil) {
            (self.name, self.status, self.code) = (name, status, code)
            (self.method, self.path, self.body) = (method, path, body.map { Array($0.utf8) })
        }
    }

    /// Requests that have their fault in common.
    struct Group: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let cases: [Case]
    }

    static let amounts: [Case] = [
        Case("too many decimals", 400, "too_many_decimals", amount: #""1.001""#),
        Case("zero", 400, "not_positive", amount: #""0.00""#),
        Case("negative", 400, "sign", amount: #""-1.00""#),
        Case("ten to the fortieth", 400, "too_long", amount: "\"1\(String(repeating: "0", count: 40))\""),
        Case("exponent", 400, "exponent", amount: #""1e2""#),
        Case("leading space", 400, "whitespace", amount: #"" 1.00""#),
        Case("leading zeros", 400, "leading_zero", amount: #""01.00""#),
        Case("no digits before the point", 400, "malformed", amount: #"".50""#),
        Case("digits of another script", 400, "non_ascii_digit", amount: #""١.00""#),
        Case("empty", 400, "empty", amount: #""""#),
        Case("a number", 400, "wrong_type", amount: "1.00"),
        Case("null", 400, "wrong_type", amount: "null"),
        Case("an object", 400, "wrong_type", amount: "{}"),
        Case("a list", 400, "wrong_type", amount: "[]"),
    ]

    static let fields: [Case] = [
        Case("unknown field", 400, "unknown_field", more: #","fee":"0.00""#),
        Case("unknown asset", 400, "unknown_asset", asset: #""XYZ""#),
        Case("asset in lower case", 400, "unknown_asset", asset: #""usd""#),
        Case("asset that Banking doesn't hold", 422, "asset_not_supported", asset: #""SOL""#),
        Case("account of no kind", 400, "not_allowed", more: #","from":"vault""#),
        Case("memo too long", 400, "too_long", more: ",\"memo\":\"\(String(repeating: "m", count: 141))\""),
        Case("more than one payment may be", 422, "limit_exceeded", amount: #""50000.01""#),
        Case("more than there is", 422, "insufficient_funds", amount: #""49000.00""#),
        Case("missing members", 400, "missing", body: Array("{}".utf8)),
        Case("a list for a body", 400, "wrong_type", body: Array("[]".utf8)),
    ]

    static let encodings: [Case] = [
        Case("duplicate members", 400, "duplicate_name", more: #","amount":"2.00""#),
        Case("an escaped NUL", 400, "nul", more: #","memo":"a\u0000b""#),
        Case("a NUL byte", 400, "malformed_json", more: ",\"memo\":\"a\u{0}b\""),
        Case("half a surrogate", 400, "malformed_json", more: #","memo":"\ud800""#),
        Case(
            "invalid UTF-8",
            400,
            "invalid_utf8",
            body: Array(#"{"payee":""#.utf8) + [0xff, 0xfe] + Array(#""}"#.utf8)
        ),
        Case("nested deeply", 400, "too_deep", body: Array(String(repeating: "[", count: 20_000).utf8)),
        Case("cut off", 400, "malformed_json", body: Array(#"{"payee":"@ada""#.utf8)),
        Case("nothing", 400, "missing", body: []),
        Case("two megabytes", 413, "body_too_large", body: [UInt8](repeating: 0x61, count: 2_097_152)),
        Case(
            "form",
            415,
            "unsupported_media_type",
            body: Array("amount=1".utf8),
            headers: [("Content-Type", "application/x-www-form-urlencoded")]
        ),
    ]

    static let resources: [Case] = [
        Case("no such transaction", 404, "not_found", "GET", "/v1/banking/transactions/txn_01m7xr1ppwe1k85tbvw9284z3v"),
        Case("id of another kind", 400, "bad_format", "GET", "/v1/banking/transactions/usr_01m7xr1ppwe1k85tbvw9284z3v"),
        Case("no such path", 404, "not_found", "GET", "/v1/banking/nothing"),
        Case("NUL in the path", 404, "not_found", "GET", "/v1/banking/balances%00"),
        Case("page of nothing", 400, "too_small", "GET", "/v1/banking/transactions?limit=0"),
        Case("cursor of nobody", 400, "bad_format", "GET", "/v1/banking/transactions?cursor=abc"),
        Case("unknown parameter", 400, "unknown_parameter", "GET", "/v1/banking/transactions?colour=red"),
        Case("operators' route", 403, "forbidden", "GET", "/v1/operator/users/usr_01m7xr1ppwe1k85tbvw9284z3v"),
        Case(
            "deposit over its limit",
            422,
            "limit_exceeded",
            "POST",
            "/v1/banking/deposits",
            #"{"amount":"25000.01","asset":"USD"}"#
        ),
        Case(
            "transfer over its limit",
            422,
            "limit_exceeded",
            "POST",
            "/v1/banking/transfers",
            #"{"amount":"100000.01","asset":"USD","to":"investing"}"#
        ),
        Case(
            "transfer to itself",
            400,
            "not_allowed",
            "POST",
            "/v1/banking/transfers",
            #"{"amount":"1.00","asset":"USD","to":"banking"}"#
        ),
        Case(
            "provider of nobody",
            400,
            "not_allowed",
            "POST",
            "/v1/banking/deposits",
            #"{"amount":"1.00","asset":"USD","provider":"acme"}"#
        ),
    ]

    @Test(arguments: [
        Group(testDescription: "amounts", cases: amounts), Group(testDescription: "fields", cases: fields),
        Group(testDescription: "encodings", cases: encodings), Group(testDescription: "resources", cases: resources),
    ])
    func `what is wrong is refused with a problem, and nothing moves`(group: Group) async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("wrong", on: server)
        try await customer.deposit()
        let before = try await customer.ledger()
        for wrong in group.cases {
            let answer = try await customer.send(
                wrong.method,
                wrong.path,
                body: wrong.body,
                key: wrong.method == "POST" ? UUID().uuidString : nil,
                headers: wrong.headers
            )
            Problems.check(answer, wrong.status, wrong.code, wrong.name)
        }
        #expect(try await customer.ledger() == before)
        try await Books.verify(server)
    }

    @Test func `accounts that can't be used are refused, and nothing moves`() async throws {
        let server = try await SharedServer.get()
        let (customer, other) = (
            try await Customer.make("mine", on: server), try await Customer.make("theirs", on: server)
        )
        try await customer.deposit()
        let (card, bank) = (
            try await customer.link("credit_card", token: "tok_ok"), try await other.link("wire", token: "tok_ok")
        )
        let (own, theirs) = (
            try await customer.account("checking"), try await other.link("credit_card", token: "tok_ok")
        )
        let before = try await customer.ledger()
        for (name, destination, status, code) in [
            ("another's account", bank, 404, "not_found"), ("a card", card, 422, "not_a_destination"),
            ("an account of ours", own, 422, "not_a_destination"),
            ("an account that isn't", "bac_01m7xr1ppwe1k85tbvw9284z3v", 404, "not_found"),
        ] {
            Problems.check(try await customer.withdraw("5.00", to: destination), status, code, name)
        }
        for (name, source, status, code) in [
            ("another's card", theirs, 404, "not_found"), ("an account of ours", own, 422, "not_a_source"),
        ] {
            let deposit = try await customer.post(
                "/v1/banking/deposits",
                ["amount": "5.00", "asset": "USD", "source": .string(source)],
                key: UUID().uuidString
            )
            Problems.check(deposit, status, code, name)
        }
        let frozen = try await server.command("banking", "freeze", customer.id, "USD", "--reason", "a test")
        #expect(frozen.status == 0, "\(frozen.errors)")
        Problems.check(try await customer.pay("@\(other.username)", "1.00"), 422, "account_frozen", "a frozen account")
        let transfer = try await customer.post(
            "/v1/banking/transfers",
            ["amount": "1.00", "asset": "USD", "to": "investing"],
            key: UUID().uuidString
        )
        Problems.check(transfer, 422, "account_frozen", "a transfer from a frozen account")
        #expect(try await customer.ledger() == before)
        try await Books.verify(server)
    }

    @Test func `the money of a reservation that expired is free, and the late payout is kept apart`() async throws {
        let server = try await SharedServer.get()
        let (customer, friend) = (
            try await Customer.make("expired", on: server), try await Customer.make("friend", on: server)
        )
        try await customer.deposit()
        let bank = try await customer.link("wire", token: "tok_late")
        let started = try await customer.withdraw("50.00", to: bank)
        let path = "/v1/banking/transactions/\(started.text("id"))"
        try await customer.wait(path, until: ["provider_processing"])
        let operation = try #require(ID<User>(wire: "usr_" + started.text("id").dropFirst("txn_".count))).description
        let found = try await server.sql(
            """
            update banking.reservations set expires_at = clock_timestamp() - interval '1 second'
            where operation = '\(operation)' returning id
            """
        )
        let reservation = try #require(found.first.flatMap { ID<User>(uuid: $0) }).wire
        let release = try await server.command(
            "reservations",
            "release",
            "rsv_" + reservation.dropFirst("usr_".count),
            "--reason",
            "a test"
        )
        #expect(release.status != 0 && release.errors.contains("no longer reserved"), "\(release.errors)")
        #expect(try await customer.pay("@\(friend.username)", "96.20").status == 201)
        let object = try #require(
            try await server.sql(
                "select object_id from banking.provider_objects where transaction = '\(operation)'"
            ).first
        )
        let id = "sbe_" + UUID().uuidString.lowercased()
        let body = SandboxSender.body(id, "payout.succeeded", object: object, amount: "50.00")
        #expect(try await SandboxSender(server).send(id, body).status == 200)
        #expect(try await customer.wait(path, until: ["completed"]).text("reason") == "unfunded_payout")
        #expect(try await customer.dollars() == "0.00")
        try await Books.verify(server)
    }

    @Test func `a wrong method is told the right ones`() async throws {
        let customer = try await Customer.make("method", on: try await SharedServer.get())
        for (method, path, allowed) in [
            ("DELETE", "/v1/banking/payments", "POST"), ("PUT", "/v1/me", "GET"),
            ("POST", "/v1/banking/balances", "GET"),
        ] {
            let answer = try await customer.send(method, path, body: method == "DELETE" ? nil : Array("{}".utf8))
            Problems.check(answer, 405, "method_not_allowed", "\(method) \(path)")
            #expect(answer.headers["allow"]?.contains(allowed) == true)
        }
    }
}

/// What every refusal has in common.
enum Problems {
    /// Checks a problem document; `code` is the problem's own or that of its first fault.
    static func check(
        _ answer: Answer,
        _ status: Int,
        _ code: String,
        _ name: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let comment = Comment("\(name): \(answer.readable)")
        #expect(answer.status == status, comment, sourceLocation: sourceLocation)
        #expect(answer.headers["content-type"] == "application/problem+json", comment, sourceLocation: sourceLocation)
        let problem = answer.json
        #expect(problem["status"]?.integerValue == answer.status, comment, sourceLocation: sourceLocation)
        let codes = [problem["code"], problem["errors"]?.elements?.first?["code"]].compactMap { $0?.stringValue }
        #expect(codes.contains(code), comment, sourceLocation: sourceLocation)
        #expect(
            problem["type"]?.stringValue == "/problems/\(answer.text("code"))",
            comment,
            sourceLocation: sourceLocation
        )
        for member in ["title", "detail", "request_id"] {
            #expect(!answer.text(member).isEmpty, comment, sourceLocation: sourceLocation)
        }
        #expect(answer.headers["x-request-id"] == answer.text("request_id"), comment, sourceLocation: sourceLocation)
        #expect(problem["retryable"]?.boolValue != nil, comment, sourceLocation: sourceLocation)
    }
}
