import Compliance
import DataProtection
import Identity
public import Kernel
import PostgreSQL
public import Screening

/// Who customers say to be: values of theirs under the id of the application, and the profile's once it is approved.
extension KYCApplications {
    /// What an application has of somebody.
    static let types: [DataType] = [.legalName, .birthDate, .nationality, .address]

    /// Birth and countries that a customer is to be screened by: what the youngest application says that was handed in,
    /// approved or not, with the countries that were approved before; else what was approved.
    ///
    /// - Throws: `DataProtectionProblem.erased`, `.notAuthentic`, a `PostgresError`, or what the master keys throw.
    public func screenedBy(_ user: ID<User>) async throws -> (birth: BirthDate?, countries: Set<String>) {
        let values = try await data.read(user, [.birthDate, .nationality])
        guard !values.isEmpty else { return (nil, []) }
        let asked: ID<KYCApplication>? = try await pool.query(
            """
            select id from platform.kyc_applications
            where user_id = \(user) and status in ('submitted', 'incomplete', 'approved', 'rejected')
            order by id desc limit 1
            """
        ).first?[0]
        // What is approved has none of its own any more.
        let own = values.filter { $0.item == asked?.value }
        let approved = values.filter { $0.item == 0 }
        let birth = (own + approved).first { $0.type == .birthDate }?.text.flatMap(BirthDate.init)
        return (birth, Set((own + approved).filter { $0.type == .nationality }.compactMap(\.text)))
    }

    /// The statements by which what an application says of its customer becomes the profile's.
    ///
    /// - Throws: as `PersonalValues.sealing`; of an erased customer there is nothing.
    func promotion(of application: KYCApplication) async throws -> [SQL] {
        let known: [PersonalValue]
        do {
            known = try await data.read(application.user, KYCApplications.types)
        } catch DataProtectionProblem.erased {
            return []
        }
        let own = known.filter { $0.item == application.id.value }
        guard !own.isEmpty else { return [] }
        let approved = own.map { PersonalValue($0.type, bytes: $0.bytes) }
        return try await data.sealing(approved, of: application.user) + KYCApplications.removal(of: application)
    }

    /// The statements that remove what an application says of its customer.
    static func removal(of application: KYCApplication) -> [SQL] {
        types.map { PersonalValues.removal(of: $0, item: application.id.value, of: application.user) }
    }

    /// How often a step is made anew because the customer's key was replaced meanwhile.
    private static let attemptsMax = 5

    /// Settles a step that may approve an application.
    ///
    /// - Throws: what the step throws, and as `promotion`.
    func settle(_ application: KYCApplication, _ step: ([SQL]) -> KYCStep) async throws {
        var attempts = 1
        while true {
            let made = step(try await promotion(of: application))
            do {
                return try await identity.settle(made)
            } catch let error as PostgresError where PersonalValues.isOutdated(error) {
                guard attempts < KYCApplications.attemptsMax else { throw error }
                attempts += 1
            }
        }
    }
}
