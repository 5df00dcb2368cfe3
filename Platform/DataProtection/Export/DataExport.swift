import Audit
public import Kernel
import PostgreSQL

/// Everything that is stored about a user, in sections and pages.
public struct DataExport: Sendable {
    let sections: [RecordSection]
    let data: PersonalValues

    /// The export of the sections of an erasure: the same records are shown and erased.
    public init(_ erasure: Erasure) {
        (sections, data) = (erasure.records.flatMap(\.sections).sorted { $0.name < $1.name }, erasure.data)
    }

    /// The section of a name; nil when there is none.
    public func section(_ name: String) -> RecordSection? { sections.first { $0.name == name } }

    /// Notes that a user asked for the export.
    public func note(of user: ID<User>, by requester: Requester) async throws {
        let (entry, now): (ID<AuditEntry>, Timestamp) = (data.ids.next(), data.clock.now())
        let told = requester.entry(entry, "user.exported", of: user, after: ["sections": .integer(sections.count)])
        try await data.pool.transact { _ in
            Closing((), last: [told as any StoredRow].statements(in: .platform, at: now))
        }
    }
}
