import Compliance
public import DataProtection
import HTTP
public import Identity
public import Kernel
import Messaging
public import PostgreSQL

/// The customers' applications: tables `kyc_applications` and `kyc_documents`.
public struct KYCApplications: Sendable {
    /// Who somebody says to be.
    struct Person: Sendable {
        let name: String
        let birth: CalendarDay
        /// ISO 3166-1 alpha-2.
        let nationality: String
        /// Where they live; the full level needs it.
        let address: String?
    }

    /// The age from which on somebody may be a customer, in years.
    static let ageMin = 18
    /// Applications of one customer in a year.
    static let yearlyMax = 10
    /// Refused applications of one customer, ever; whoever needs more talks to support.
    static let rejectedMax = 3
    /// Seconds that a refused customer waits before another application: 30 days.
    static let retrySeconds: Int64 = 30 * 86_400

    let pool: Pool
    let data: PersonalValues
    let identity: Identity
    let ids: IDGenerator
    let clock: any WallClock
    /// Who looks at what is submitted: a vendor that has keys, else the staff.
    let provider: String

    /// The applications; `pool` is the platform's, `provider` a vendor's name or nil for the staff.
    public init(
        pool: Pool,
        data: PersonalValues,
        identity: Identity,
        provider: String?,
        ids: IDGenerator,
        clock: any WallClock
    ) {
        (self.pool, self.data, self.identity) = (pool, data, identity)
        (self.ids, self.clock, self.provider) = (ids, clock, provider ?? KYCApplication.staff)
    }

    /// Opens an application; who the customer says to be is kept with it as private data, and is the profile's once
    /// somebody has approved it.
    ///
    /// - Throws: 409 `application_open`, `level_reached`, `application_too_early`, `too_many_applications`;
    ///   422 `under_age`, `address_missing`; 410 `erased`; 404 for a user who isn't active.
    func open(_ level: KYCLevel, _ person: Person, for user: ID<User>) async throws -> KYCApplication {
        let now = clock.now()
        guard person.age(at: now) >= KYCApplications.ageMin else { throw KYCProblem.underAge }
        guard level < .full || person.address != nil else { throw KYCProblem.noAddress }
        try await admit(user, level, at: now)
        let opened = KYCApplication(new: ids.next(), of: user, level, provider, at: now)
        try await store(opened, person.values(item: opened.id.value))
        return opened
    }

    private func store(_ opened: KYCApplication, _ values: [PersonalValue]) async throws {
        let insertion = opened.insertion
        do {
            try await data.store(values, of: opened.user) { transaction in
                guard try await transaction.query(insertion).affected == 1 else { throw Problem.notFound }
                return Closing(())
            }
        } catch let error as PostgresError where error.violates("kyc_applications_one") {
            throw KYCProblem.open
        }
    }

    private func admit(_ user: ID<User>, _ level: KYCLevel, at now: Timestamp) async throws {
        let known = try await KYCPast(of: user, in: pool, at: now)
        if let standing = known.standing, standing.level >= level, !standing.isRenewable(at: now) {
            throw KYCProblem.reached
        }
        guard known.lately < KYCApplications.yearlyMax, known.rejected < KYCApplications.rejectedMax else {
            throw KYCProblem.tooMany
        }
        if let until = known.mayApplyAt, now < until { throw KYCProblem.early(until: until) }
    }

    /// Adds a document, or another one in place of the one of its kind.
    ///
    /// - Throws: 404; 409 `application_not_draft`; 422 `document_unreadable`; 410 `erased`.
    func add(
        _ kind: KYCDocument.Kind,
        _ bytes: [UInt8],
        to id: ID<KYCApplication>,
        of user: ID<User>
    ) async throws -> KYCApplication {
        _ = try await find(id, of: user)
        guard let type = KYCDocument.MediaType(bytes), bytes.count <= KYCDocument.bytesMax else {
            throw KYCProblem.unreadable
        }
        let document = KYCDocument(id: ids.next(), kind: kind, mediaType: type, bytes: bytes.count)
        let lock: SQL = """
            select status in ('draft', 'incomplete') from platform.kyc_applications where id = \(id) for update
            """
        let statements = [KYCDocument.removal(from: id, kind), document.insertion(id, of: user, at: clock.now())]
        try await data.store([PersonalValue(.document, item: document.id.value, bytes: bytes)], of: user) {
            guard try await $0.query(lock).first?[0] == true else { throw KYCProblem.notDraft }
            return Closing((), last: statements)
        }
        return try await find(id, of: user)
    }

    /// A document of a customer's own.
    ///
    /// - Throws: 404; 410 `erased`.
    func document(_ kind: KYCDocument.Kind, of id: ID<KYCApplication>, _ user: ID<User>) async throws -> [UInt8] {
        let known = try await find(id, of: user)
        guard let entry = known.documents.first(where: { $0.kind == kind }),
            let bytes = try await data.read(user, .document, item: entry.id.value)?.bytes
        else { throw Problem.notFound }
        return bytes
    }

    /// Hands an application in.
    ///
    /// - Throws: 404; 409 `application_not_draft`; 422 `documents_missing`; 410 `erased`.
    func submit(_ id: ID<KYCApplication>, of user: ID<User>, by requester: Requester) async throws -> KYCApplication {
        let known = try await find(id, of: user)
        let name = try await data.read(user, .legalName, item: id.value)?.text
        // What a vendor told before waits for this.
        let rows = [InboxUnpark(source: known.provider, objectID: id.wire)]
        try await identity.settle(
            KYCStep(
                "kyc.submitted",
                of: known,
                by: requester,
                name: name,
                statements: [CustomerScreening.again(user)],
                rows: rows,
                self
            ) { try $0.submit(at: $1) }
        )
        return try await find(id, of: user)
    }

    /// Takes an application back that isn't handed in; its documents go, and what it says of the customer.
    ///
    /// - Throws: 404; 409 `application_not_draft`.
    func withdraw(_ id: ID<KYCApplication>, of user: ID<User>, by requester: Requester) async throws -> KYCApplication {
        let known = try await find(id, of: user)
        let gone = [KYCDocument.removal(from: id), CustomerScreening.again(user)] + Self.removal(of: known)
        try await identity.settle(
            KYCStep("kyc.withdrawn", of: known, by: requester, statements: gone, self) { file, _ in
                try file.withdraw()
            }
        )
        return try await find(id, of: user)
    }

    /// An application, of one customer or of any.
    ///
    /// - Throws: 404.
    func find(_ id: ID<KYCApplication>, of user: ID<User>? = nil) async throws -> KYCApplication {
        let row = try await pool.query(
            """
            select \(KYCApplication.columns) from platform.kyc_applications a
            where a.id = \(id) and (\(user)::uuid is null or a.user_id = \(user))
            """
        ).first
        guard let row else { throw Problem.notFound }
        return try KYCApplication(row)
    }
}

extension KYCApplications.Person {
    /// Years since the birth.
    fileprivate func age(at now: Timestamp) -> Int {
        let today = CalendarDay(daysSince1970: Int(now.seconds / 86_400)).civil
        let born = birth.civil
        let isBefore = (today.month, today.day) < (born.month, born.day)
        return today.year - born.year - (isBefore ? 1 : 0)
    }

    /// What is kept of it.
    fileprivate func values(item: UInt128) -> [PersonalValue] {
        let texts: [(DataType, String?)] = [
            (.legalName, name), (.birthDate, birth.description), (.nationality, nationality), (.address, address),
        ]
        return texts.compactMap { type, text in
            text.map { PersonalValue(type, item: item, bytes: Array($0.utf8)) }
        }
    }
}
