import Audit
import Compliance
import Cryptography
import DataProtection
import DomainKit
import Foundation
import HTTP
import Identity
import KYC
import Kernel
import Logging
import PostgreSQL
import Settings

/// Where the keys of private data and of the audit chains are.
struct KeyPlaces: Sendable {
    let settings: Settings

    /// The directory of the master keys; nil where they are settings.
    var masterDirectory: SecretKeyDirectory? {
        guard settings.keys.masterKeys.isEmpty else { return nil }
        return SecretKeyDirectory(
            path: settings.keys.masterDirectory ?? standard("master-keys"),
            prefix: LocalMasterKeys.prefix
        )
    }

    /// The directory of the keys that sign heads of audit chains.
    var auditDirectory: SecretKeyDirectory {
        SecretKeyDirectory(path: settings.keys.auditDirectory ?? standard("audit-keys"), prefix: "audit")
    }

    /// The master keys.
    func masters() throws -> any MasterKeys {
        if let masterDirectory { return LocalMasterKeys(directory: masterDirectory) }
        return try LocalMasterKeys(
            ring: settings.keys.masterKeys.map { ($0.id, Hex.decode($0.hex.reveal()) ?? []) }
        )
    }

    /// The signers of heads, the one in use last; a first key is made when there is none.
    func auditSigners() throws -> [AuditSigner] {
        try auditDirectory.open().compactMap { AuditSigner(secret: $0.key) }
    }

    private func standard(_ name: String) -> String { (settings.home ?? ".local") + "/" + name }
}

extension Program {
    /// What erases users, with everything that is stored about them.
    var erasure: Erasure {
        Erasure(
            personalData,
            records: [identity.userRecords, ComplianceRecords(pool: platform.pool), KYCRecords(pool: platform.pool)]
                + everyRuntime.map { LedgerRecords($0) as any UserRecords } + domains.flatMap(\.userRecords),
            outbox: platform.outboxSignal
        )
    }

    /// The heads of all chains now, signed.
    func signedHeads() async throws -> [SignedAuditHead] {
        guard let signer = try KeyPlaces(settings: settings).auditSigners().last else { return [] }
        var heads: [SignedAuditHead] = []
        for runtime in everyRuntime {
            let head = try await AuditVerifier(pool: runtime.pool, schema: runtime.schema).head()
            if head.head.count == 32, let signed = signer.sign(head, of: runtime.schema, at: clock.now()) {
                heads.append(signed)
            }
        }
        return heads
    }

    /// Moves and drops what is past its time, and notes the heads of the audit chains outside of the database.
    var protectionChores: [Chore] {
        let logger = logger
        let retention = everyRuntime.map { runtime in
            let retention = Retention(pool: runtime.pool, schema: runtime.schema)
            return Chore(
                name: "retention",
                schema: runtime.schema.name,
                setMax: 1,
                work: {
                    guard let done = try await retention.apply() else { return 0 }
                    logger.notice(
                        "a partition was moved or dropped by its policy",
                        metadata: [
                            "table": "\(runtime.schema).\(done.table)", "partition": "\(done.partition)",
                            "step": "\(done.step)",
                        ]
                    )
                    return 1
                }
            )
        }
        guard let path = settings.keys.auditHeadsFile else { return retention }
        let heads = Chore(name: "audit_heads", schema: platform.schema.name) {
            let heads = try await signedHeads()
            try AuditHeadsFile(path: path).append(heads)
            return heads.count
        }
        return retention + [heads]
    }
}

/// A file of signed heads, a line of JSON each, that only grows.
struct AuditHeadsFile: Sendable {
    /// Lines that are read.
    static let linesMax = 1_000_000

    let path: String

    /// Appends heads in one write.
    func append(_ heads: [SignedAuditHead]) throws {
        let lines = heads.map { String(decoding: $0.json.serialized(), as: UTF8.self) + "\n" }.joined()
        if !FileManager.default.fileExists(atPath: path) {
            try Data().write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
        }
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        defer { try? file.close() }
        try file.seekToEnd()
        try file.write(contentsOf: Data(lines.utf8))
        try file.synchronize()
    }

    /// The heads in it.
    ///
    /// - Throws: 422 `not_a_head` with the number of a line that is none.
    func read() throws -> [SignedAuditHead] {
        let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
        return try text.split(separator: "\n").prefix(AuditHeadsFile.linesMax).enumerated().map { number, line in
            guard let json = try? JSON.parse(Array(line.utf8)), let head = SignedAuditHead(json) else {
                throw Problem(422, "not_a_head", "Line \(number + 1) of \(path) is no signed head.")
            }
            return head
        }
    }
}
