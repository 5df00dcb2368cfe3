import Cryptography
import Foundation
import HTTP
import Kernel
import Logging
import PostgreSQL
import Testing

@testable import Identity

struct MailTests {
    /// Runs `body` while letters are written.
    private func writing(_ fixture: Fixture, _ body: () async throws -> Void) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let writer = try #require(fixture.identity.letterWriter(logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await writer.run() }
            try await body()
            group.cancelAll()
        }
    }

    private func token(_ mail: Mail) throws -> String {
        let words = mail.text.split(whereSeparator: \.isWhitespace)
        return String(try #require(words.first { $0.hasPrefix("emt_") }))
    }

    private func reset(
        _ fixture: Fixture,
        _ token: String,
        _ password: String = "another horse 2718"
    ) async throws
        -> Answer
    {
        let body: JSON = ["token": .string(token), "password": .string(password)]
        return try await fixture.send("POST", "/v1/auth/password-reset/confirm", body)
    }

    private func ask(_ fixture: Fixture, _ email: String) async throws -> Answer {
        try await fixture.send("POST", "/v1/auth/password-reset", ["email": .string(email)])
    }

    @Test func `an address is confirmed by the token that was sent to it, once`() async throws {
        try await Fixture.with { fixture in
            let (access, _) = try await fixture.customer()
            try await writing(fixture) {
                #expect(try await fixture.send("POST", "/v1/me/email-verification", token: access).status == 202)
                let mail = await fixture.mailbox.next()
                #expect(mail.to == Fixture.email && "\(mail)" == "(mail)")
                let body: JSON = ["token": .string(try token(mail))]
                #expect(try await fixture.send("POST", "/v1/auth/email-verification", body).status == 204)
                #expect(try await fixture.send("GET", "/v1/me", token: access).json["email_verified"] == true)
                let again = try await fixture.send("POST", "/v1/auth/email-verification", body)
                #expect(again.status == 422 && again.code == "invalid_email_token")
            }
        }
    }

    @Test func `where addresses are confirmed, one that is taken is answered like a new one`() async throws {
        try await Fixture.with(policy: { $0.confirmsAddresses = true }) { fixture in
            try await writing(fixture) {
                let new = try await fixture.register("ada")
                #expect(new.status == 202 && new.json == .null)
                let welcome = await fixture.mailbox.next()
                #expect(welcome.to == Fixture.email)
                let early = try await fixture.signIn()
                #expect(early.status == 401 && early.code == "invalid_credentials")
                let body: JSON = ["token": .string(try token(welcome))]
                #expect(try await fixture.send("POST", "/v1/auth/email-verification", body).status == 204)
                #expect(try await fixture.signIn().status == 200)

                let taken = try await fixture.register("grace", email: "ADA@example.com", password: "horses of troy 99")
                #expect(taken.status == new.status && taken.json == new.json)
                let word = await fixture.mailbox.next()
                #expect(word.to == Fixture.email && word.text.contains("@ada") && !word.text.contains("emt_"))
                let tried = try await fixture.signIn(password: "horses of troy 99")
                #expect(tried.status == 401 && tried.code == early.code)
                #expect(try await fixture.value("select count(*) from platform.users") == 1)
                // Nor does a username tell which of the two it was.
                for email in ["new@example.com", Fixture.email] {
                    for name in ["grace", "ada"] {
                        let again = try await fixture.register(name, email: email)
                        #expect(again.status == 409 && again.code == "username_taken", "\(name) \(email)")
                    }
                }
            }
        }
    }

    @Test func `a username that was asked for with an address that nobody confirms is free again`() async throws {
        try await Fixture.with(policy: { $0.confirmsAddresses = true }) { fixture in
            try await writing(fixture) {
                #expect(try await fixture.register("ada").status == 202)
                let body: JSON = ["token": .string(try token(await fixture.mailbox.next()))]
                #expect(try await fixture.send("POST", "/v1/auth/email-verification", body).status == 204)
                // One with an address that is taken, one with an address that nobody reads.
                for (name, email) in [("grace", Fixture.email), ("heidi", "nobody@example.com")] {
                    #expect(try await fixture.register(name, email: email).status == 202)
                    _ = await fixture.mailbox.next()
                }
                func taken() async throws -> [Bool] {
                    var answers: [Bool] = []
                    for (place, name) in ["ada", "grace", "heidi"].enumerated() {
                        let answer = try await fixture.register(name, email: "later\(place)@example.com")
                        answers.append(answer.code == "username_taken")
                        if answer.status == 202 { _ = await fixture.mailbox.next() }
                    }
                    return answers
                }
                fixture.clock.advance(seconds: 2 * 86_400)
                _ = try await fixture.identity.sweep()
                #expect(try await taken() == [true, true, true])
                fixture.clock.advance(seconds: 1)
                _ = try await fixture.identity.sweep()
                #expect(try await taken() == [true, false, false])
                let left: String = try await fixture.value(
                    "select username from platform.users where email = 'nobody@example.com'"
                )
                #expect(left.hasPrefix("unnamed_") && left.count == 30)
                #expect(try await fixture.actions().contains("user.username_released"))
            }
        }
    }

    @Test func `a forgotten password is set anew, which ends all sessions and the lock`() async throws {
        try await Fixture.with { fixture in
            let (access, _) = try await fixture.customer()
            try await writing(fixture) {
                for _ in 0..<5 { _ = try await fixture.signIn(password: "wrong") }
                #expect(try await fixture.signIn().status == 429)
                #expect(try await ask(fixture, Fixture.email).status == 202)
                let mail = await fixture.mailbox.next()
                let token = try token(mail)
                #expect(try await reset(fixture, token, "password12").code == "weak_password")
                let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                    for _ in 0..<8 { group.addTask { try await reset(fixture, token) } }
                    return try await group.reduce(into: [Answer]()) { $0.append($1) }
                }
                #expect(answers.count { $0.status == 204 } == 1)
                #expect(answers.count { $0.code == "invalid_email_token" } == 7)
                #expect(try await fixture.send("GET", "/v1/me", token: access).status == 401)
                #expect(try await fixture.signIn().status == 401)
                #expect(try await fixture.signIn(password: "another horse 2718").status == 200)
                let dump: String = try await fixture.value(
                    """
                    select (select string_agg(t::text, '') from platform.email_tokens t)
                        || (select string_agg(a::text, '') from platform.audit_log a)
                    """
                )
                #expect(!dump.contains(token))
            }
        }
    }

    @Test func `who has no account is answered alike, before anything is looked up, and gets no mail`() async throws {
        try await Fixture.with { fixture in
            try await fixture.register()
            let (known, unknown) = (try await ask(fixture, Fixture.email), try await ask(fixture, "no@example.com"))
            #expect(known.status == 202 && unknown.status == 202)
            #expect(known.json == unknown.json)
            // Nothing has been written: the answers can't have taken longer for one of them.
            #expect(try await fixture.value("select count(*) from platform.email_tokens") == 0)
            try await writing(fixture) {
                let first = await fixture.mailbox.next()
                #expect(first.to == Fixture.email)
                let again = try await ask(fixture, Fixture.email)
                #expect(again.status == 202)
                let second = await fixture.mailbox.next()
                #expect(second.to == Fixture.email)
            }
            #expect(fixture.mailbox.count == 0)
        }
    }

    @Test func `a token is good for its time, for its address and until the next one`() async throws {
        try await Fixture.with { fixture in
            try await fixture.register()
            try await writing(fixture) {
                _ = try await ask(fixture, Fixture.email)
                let first = try token(await fixture.mailbox.next())
                _ = try await ask(fixture, Fixture.email)
                let second = try token(await fixture.mailbox.next())
                #expect(try await reset(fixture, first).code == "invalid_email_token")
                _ = try await fixture.pool.query("update platform.users set email = 'new@example.com'")
                #expect(try await reset(fixture, second).code == "invalid_email_token")
                _ = try await fixture.pool.query("update platform.users set email = \(Fixture.email)")
                let verification: JSON = ["token": .string(second)]
                let other = try await fixture.send("POST", "/v1/auth/email-verification", verification)
                #expect(other.code == "invalid_email_token")
                fixture.clock.advance(seconds: 1_800)
                #expect(try await reset(fixture, second).code == "invalid_email_token")
            }
        }
    }

    @Test func `mail is written as files that their owner alone may read`() async throws {
        let path = NSTemporaryDirectory() + "mail-\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let directory = MailDirectory(path: path, threads: WorkerThreads(threads: 1, queuedMax: 8))
        try await directory.deliver(Mail(to: "ada@example.com", subject: "Hello", text: "emt_x"))
        let names = try FileManager.default.contentsOfDirectory(atPath: path)
        #expect(names.count == 1 && names[0].hasSuffix(".eml"))
        let file = path + "/" + names[0]
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(text.hasPrefix("To: ada@example.com\r\nSubject: Hello\r\n"))
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func `a streak counts days in a row`() {
        var streak = Streak()
        for (day, points, days) in [
            (20_000, 10, 1), (20_000, 0, 1), (20_001, 10, 2), (20_003, 10, 1), (20_000, 0, 1),
        ] as [(Int, Int64, Int)] {
            let earned = streak.visit(on: CalendarDay(daysSince1970: day))
            #expect(earned == points && streak.days == days)
        }
    }

    @Test func `sessions are listed, and ended elsewhere by their user alone`() async throws {
        try await Fixture.with { fixture in
            let (here, _) = try await fixture.customer()
            let there = try #require(try await fixture.signIn().text("access_token"))
            let listed = try await fixture.send("GET", "/v1/me/sessions", token: here).json["data"]?.elements ?? []
            #expect(listed.count == 2 && listed.count { $0["is_present"] == true } == 1)
            let other = try #require(listed.first { $0["is_present"] == false }?["id"]?.stringValue)
            let stranger = try await fixture.customer("grace", email: "grace@example.com")
            let path = "/v1/me/sessions/\(other)"
            #expect(try await fixture.send("DELETE", path, token: stranger.token).status == 404)
            #expect(try await fixture.send("GET", "/v1/me", token: there).status == 200)
            #expect(try await fixture.send("DELETE", path, token: here).status == 204)
            #expect(try await fixture.send("GET", "/v1/me", token: there).status == 401)
            #expect(try await fixture.send("DELETE", path, token: here).status == 404)
        }
    }
}
