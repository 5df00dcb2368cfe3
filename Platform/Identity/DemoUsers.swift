public import Kernel

/// The users of the demo data.
public enum DemoUsers {
    /// One of them, with what it takes to sign in.
    public struct Account: Sendable, Hashable {
        /// The address.
        public let email: String
        /// The username, without `@`.
        public let username: String
        /// The password; it is public, so none of these users belongs on a server that others can reach.
        public let password: String
        /// The full name.
        public let name: String
        /// Whether it is an operator.
        public let isOperator: Bool
    }

    /// Two customers and an operator.
    public static let accounts = [
        Account(
            email: "ada@demo.example",
            username: "ada",
            password: "analytical engine 1843",
            name: "Ada Lovelace",
            isOperator: false
        ),
        Account(
            email: "grace@demo.example",
            username: "grace",
            password: "nanoseconds of wire 1952",
            name: "Grace Hopper",
            isOperator: false
        ),
        Account(
            email: "olga@demo.example",
            username: "olga",
            password: "keeper of the ledger 1494",
            name: "Olga Operator",
            isOperator: true
        ),
    ]

    /// The two whose orders keep the markets of the demo data alive: the first quotes, the second takes.
    public static let traders = [
        Account(
            email: "maker@demo.example",
            username: "demomaker",
            password: "both sides of the book 1602",
            name: "Joseph Maker",
            isOperator: false
        ),
        Account(
            email: "taker@demo.example",
            username: "demotaker",
            password: "whatever it costs 1637",
            name: "Confusion Taker",
            isOperator: false
        ),
    ]
}

extension Identity {
    /// Makes the users of the demo data that aren't there yet, and answers with the ids of all; where names are
    /// verified by the built-in check, the customers are.
    ///
    /// It may be repeated, and several processes may do it at once.
    public func seedDemoUsers(_ accounts: [DemoUsers.Account] = DemoUsers.accounts) async throws -> [ID<User>] {
        var ids: [ID<User>] = []
        for account in accounts { ids.append(try await seed(account)) }
        return ids
    }

    private func seed(_ account: DemoUsers.Account) async throws -> ID<User> {
        guard let email = Email(account.email) else { preconditionFailure("\(account.email) is no address") }
        let origin = Origin(system: "system:demo", correlation: services.ids.next(Session.self).value)
        if try await services.users.find(email: email) == nil {
            let application = Registration.Application(
                email: email,
                username: account.username,
                password: account.password,
                name: account.name,
                role: account.isOperator ? .operator : .customer
            )
            do {
                _ = try await Registration(services: services).register(application, by: origin)
            } catch let problem as IdentityProblem where problem == .emailTaken || problem == .usernameTaken {
                // Another process was first.
            }
        }
        guard let user = try await services.users.find(email: email) else { throw IdentityProblem.emailTaken }
        if services.policy.verifiesByName, !account.isOperator, user.kycStatus == .none {
            do {
                _ = try await Verification(services: services).request(user.id, name: account.name, by: origin)
            } catch IdentityProblem.verificationNotOpen {
                // Another process was first.
            }
        }
        return user.id
    }
}
