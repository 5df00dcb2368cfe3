import Kernel
import Logging
import Metrics
import PostgreSQL
public import ServiceLifecycle

/// Writes letters and hands them to the transport: those that users ask for, and those that wait in the database.
public struct LetterWriter: Service {
    let services: IdentityServices
    let transport: any MailTransport
    let logger: Logger
    let failures = Counter(label: "identity_letters_failed_total")

    init(services: IdentityServices, transport: any MailTransport, logger: Logger) {
        (self.services, self.transport, self.logger) = (services, transport, logger)
    }

    /// Writes until a graceful shutdown or cancellation.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await writeOrders() }
                group.addTask { await writePendingLetters() }
            }
        }
    }

    private func writeOrders() async {
        for await order in services.letters.orders {
            do {
                try await write(order)
            } catch {
                failures.increment()
                logger.error("a letter could not be sent", metadata: ["error": "\(String(reflecting: error))"])
            }
        }
    }

    private func write(_ order: LetterBox.Order) async throws {
        switch order {
        case .verification(let id):
            guard let user = try await services.users.find(id), user.emailVerifiedAt == nil else { return }
            let token = try await issue(.verifyEmail, to: user, "user.email_token_sent", Origin(user, services))
            let text = "Welcome, @\(user.username). Enter this in the app to confirm your address:\r\n\r\n\(token)"
            try await transport.deliver(Mail(to: user.email, subject: "Confirm your address", text: text))
        case .addressKnown(let email):
            guard let user = try await services.users.find(email: email), user.status == .active else { return }
            let text = """
                Somebody, hopefully you, wanted to register with this address. You are @\(user.username) already: sign \
                in, or have a new password sent to you. If it wasn't you, do nothing.
                """
            try await transport.deliver(Mail(to: user.email, subject: "You have an account", text: text))
        case .passwordReset(let email, let origin):
            // Whoever has no account gets no mail; the answer was given before.
            guard let user = try await services.users.find(email: email), user.status == .active else { return }
            let token = try await issue(.resetPassword, to: user, "user.reset_token_sent", origin)
            let text = """
                Somebody, hopefully you, wants to set a new password for @\(user.username). Enter this in the app \
                within half an hour:\r\n\r\n\(token)\r\n\r\nIf it wasn't you, do nothing.
                """
            try await transport.deliver(Mail(to: user.email, subject: "Set a new password", text: text))
        }
    }

    private func issue(
        _ purpose: EmailToken.Purpose,
        to user: UserRecord,
        _ action: String,
        _ origin: Origin
    ) async throws -> String {
        let (token, now) = (EmailToken(), services.clock.now())
        let entry = services.journal.audit(action, user: user.id, by: origin)
        let statements = token.issue(purpose, to: user, at: now)
        try await services.pool.transact { _ in services.closing((), statements, [entry], at: now) }
        return token.text
    }
}

extension Origin {
    /// A user's own doing, some moments ago.
    fileprivate init(_ user: UserRecord, _ services: IdentityServices) {
        self.init(system: user.id.wire, correlation: services.ids.next(Session.self).value)
    }
}
