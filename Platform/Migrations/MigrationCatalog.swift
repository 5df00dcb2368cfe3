import Foundation
public import PostgreSQL

/// All migrations that the program brings along, by schema.
///
/// They are read from `DIRECTORY/SCHEMA/NNNN_what_it_does.sql`; numbers start at 1 and have no gaps.
public struct MigrationCatalog: Sendable {
    /// The schemas that have a folder, in the order in which they are migrated: blocks, platform, then the domains.
    public let schemas: [Schema]
    private let migrations: [Schema: [Migration]]

    /// The most bytes of one file.
    static let fileBytesMax = 4 << 20

    /// Reads all files.
    ///
    /// - Throws: a `MigrationError` that names the file at fault.
    public init(directory: String) throws(MigrationError) {
        var migrations: [Schema: [Migration]] = [:]
        for folder in try MigrationCatalog.names(in: directory) {
            guard isFolder("\(directory)/\(folder)"), !folder.hasPrefix(".") else { continue }
            guard let schema = Schema(folder) else { throw .badName(path: folder) }
            migrations[schema] = try MigrationCatalog.read(schema, in: directory)
        }
        self.migrations = migrations
        schemas = migrations.keys.sorted { $0.migrationRank < $1.migrationRank }
    }

    /// The migrations of a schema in their order; none for a schema without a folder.
    public subscript(schema: Schema) -> [Migration] { migrations[schema] ?? [] }

    private static func read(_ schema: Schema, in directory: String) throws(MigrationError) -> [Migration] {
        var found: [Migration] = []
        // Editors leave other files behind; one that ends as ours do must be one of ours, or a typing error would hide
        // it.
        for file in try names(in: "\(directory)/\(schema)") where file.hasSuffix(".sql") && !file.hasPrefix(".") {
            guard let (number, name) = Migration.identity(fileName: file) else {
                throw .badName(path: "\(schema)/\(file)")
            }
            let text = try text(of: "\(schema)/\(file)", in: directory)
            found.append(try Migration(schema: schema, number: number, name: name, text: text))
        }
        found.sort { ($0.number, $0.name) < ($1.number, $1.name) }
        for (index, migration) in found.enumerated() where migration.number != index + 1 {
            if migration.number == index { throw .sameNumber(found[index - 1].path, migration.path) }
            throw .gap(schema: schema, number: index + 1)
        }
        return found
    }

    private static func names(in directory: String) throws(MigrationError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
        } catch {
            throw .unreadable(path: directory, reason: "it can't be listed")
        }
    }

    private static func text(of path: String, in directory: String) throws(MigrationError) -> String {
        guard let data = FileManager.default.contents(atPath: "\(directory)/\(path)") else {
            throw .unreadable(path: path, reason: "it can't be read")
        }
        guard data.count <= fileBytesMax else {
            throw .unreadable(path: path, reason: "it has more than \(fileBytesMax) bytes")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw .unreadable(path: path, reason: "it is not UTF-8")
        }
        return text
    }
}

extension MigrationCatalog {
    /// Finds the directory: `configured` (`DIBOAS_MIGRATIONS`) if it is given, else `migrations` beside the executable,
    /// else in the working directory.
    ///
    /// - Throws: `MigrationError.noDirectory` with the places that were looked at.
    public static func findDirectory(configured: String?) throws(MigrationError) -> String {
        try findDirectory(
            configured: configured,
            executable: Bundle.main.executablePath,
            workingDirectory: FileManager.default.currentDirectoryPath
        )
    }

    static func findDirectory(
        configured: String?,
        executable: String?,
        workingDirectory: String
    ) throws(MigrationError) -> String {
        var places: [String] = []
        if let configured, !configured.isEmpty {
            places = [configured.hasPrefix("/") ? configured : workingDirectory + "/" + configured]
        } else {
            if let executable {
                places.append(URL(fileURLWithPath: executable).deletingLastPathComponent().path + "/migrations")
            }
            places.append(workingDirectory + "/migrations")
        }
        guard let place = places.first(where: isFolder) else { throw .noDirectory(places) }
        return place
    }
}

private func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
}

extension Schema {
    /// Building blocks first, for all others call them; then what belongs to the customer as a whole.
    var migrationRank: (Int, String) {
        switch self {
        case .blocks: (0, name)
        case .platform: (1, name)
        default: (2, name)
        }
    }
}
