import Compliance
import DomainKit
import HTTP
import Identity
import Kernel

/// Everything of wallets, put together: what the rest of DeFi asks, and the routes.
struct WalletParts: Sendable {
    let wallets: Wallets
    let links: WalletLinks
    let book: AddressBook
    let challenges: Challenges
    let verification: WalletVerification
    let routes: [Route]

    /// Wallets over a runtime; `contracts` are the nodes that know contract accounts, if there are any.
    init(
        _ runtime: DomainRuntime,
        ids: IDGenerator,
        clock: any WallClock,
        publicURL: String,
        screening: any AddressScreening,
        sessions: ProvenSignIn,
        contracts: (any ContractAccounts)?,
        lockSeconds: Int64 = AddressBook.lockSecondsDefault
    ) {
        let (schema, pool) = (runtime.schema, runtime.pool)
        wallets = Wallets(schema: schema, pool: pool)
        book = AddressBook(
            runtime: runtime,
            ids: ids,
            wallets: wallets,
            screening: screening,
            lockSeconds: lockSeconds
        )
        links = WalletLinks(runtime: runtime, ids: ids, screening: screening, book: book)
        let journal = WalletJournal(schema: schema, ids: ids)
        challenges = Challenges(
            schema: schema,
            pool: pool,
            ids: ids,
            clock: clock,
            site: ChallengeSite(publicURL: publicURL, path: "/v1/defi/wallets")
        )
        let proofs = Proofs(challenges: challenges, contracts: contracts, journal: journal)
        verification = WalletVerification(
            runtime: runtime,
            wallets: wallets,
            challenges: challenges,
            proofs: proofs,
            book: book,
            screening: screening,
            journal: journal
        )
        let signIn = WalletSignIn(wallets: wallets, challenges: challenges, proofs: proofs, sessions: sessions)
        routes =
            WalletRoutes(runtime: runtime, wallets: wallets, links: links).routes
            + ChallengeRoutes(wallets: wallets, verification: verification).routes
            + SettingsRoutes(runtime: runtime, journal: journal).routes
            + AddressBookRoutes(book: book).routes + WalletSignInRoutes(signIn: signIn).routes
    }
}
