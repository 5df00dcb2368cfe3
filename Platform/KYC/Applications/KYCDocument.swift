import DataProtection
import HTTP
import Kernel
import PostgreSQL

/// A document by which somebody is identified; its bytes are private data of its owner.
struct KYCDocument: Sendable, Hashable, Entity {
    /// `doc_…`.
    static let idPrefix = "doc"

    /// What it is; an application has one of each at most.
    enum Kind: String, Sendable, CaseIterable {
        /// A passport, the side with the picture.
        case passport
        /// An identity card.
        case identityCard = "identity_card"
        /// A driving licence.
        case drivingLicence = "driving_licence"
        /// A bill or a letter of an office with the address.
        case proofOfAddress = "proof_of_address"
        /// A picture of the customer.
        case selfie

        /// Whether it says who somebody is.
        var isIdentity: Bool { self == .passport || self == .identityCard || self == .drivingLicence }
    }

    /// How its bytes are to be read.
    enum MediaType: String, Sendable, CaseIterable {
        /// A picture.
        case jpeg = "image/jpeg"
        /// A picture.
        case png = "image/png"
        /// Pages.
        case pdf = "application/pdf"

        /// What bytes are by how they begin, whatever their sender says; nil for anything else.
        init?(_ bytes: [UInt8]) {
            guard let type = MediaType.allCases.first(where: { bytes.starts(with: $0.start) }) else { return nil }
            self = type
        }

        // JPEG: ITU T.81 §B.1.1.3; PNG: RFC 2083 §3.1; PDF: ISO 32000-1 §7.5.2.
        private var start: [UInt8] {
            switch self {
            case .jpeg: [0xFF, 0xD8, 0xFF]
            case .png: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
            case .pdf: Array("%PDF-".utf8)
            }
        }
    }

    /// The largest document, in bytes: a good picture of a telephone (the database repeats it).
    static let bytesMax = 6 << 20

    let id: ID<KYCDocument>
    let kind: Kind
    let mediaType: MediaType
    /// Its length.
    let bytes: Int

    /// The documents of a row of an application.
    static func list(_ row: Row) throws -> [KYCDocument] {
        let (ids, sizes): ([ID<KYCDocument>], [Int]) = (try row["documents"], try row["sizes"])
        let (kinds, media): ([String], [String]) = (try row["kinds"], try row["media"])
        return ids.indices.compactMap { place in
            guard let kind = Kind(rawValue: kinds[place]), let type = MediaType(rawValue: media[place]) else {
                return nil
            }
            return KYCDocument(id: ids[place], kind: kind, mediaType: type, bytes: sizes[place])
        }
    }

    /// The statement that adds it to an application.
    func insertion(_ application: ID<KYCApplication>, of user: ID<User>, at now: Timestamp) -> SQL {
        """
        insert into platform.kyc_documents (id, application_id, user_id, kind, media_type, bytes, added_at)
        values (\(id), \(application), \(user), \(kind.rawValue), \(mediaType.rawValue), \(bytes), \(now))
        """
    }

    /// The statement that removes the documents of an application, of one kind or of any, with their bytes.
    static func removal(from application: ID<KYCApplication>, _ kind: Kind? = nil) -> SQL {
        """
        with gone as (
            delete from platform.kyc_documents
            where application_id = \(application) and kind = coalesce(\(kind?.rawValue)::text, kind)
            returning id, user_id
        )
        delete from platform.encrypted_user_data d
        using gone
        where d.user_id = gone.user_id and d.data_type = \(DataType.document.name) and d.item = gone.id
        """
    }

    /// As customers and staff see it.
    var json: JSON {
        ["kind": .string(kind.rawValue), "media_type": .string(mediaType.rawValue), "bytes": .integer(bytes)]
    }

    /// The shape of `json`.
    static let schema = JSONSchema.object(
        [
            .required("kind", .oneOf(Kind.self)), .required("media_type", .oneOf(MediaType.self)),
            .required("bytes", .integer(1...bytesMax)),
        ],
        named: "IdentityDocument"
    )
}
