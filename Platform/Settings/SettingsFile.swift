import Foundation

/// A configuration file: a line `KEY=value` per setting, as systemd's `EnvironmentFile` and Docker's `--env-file` read
/// it.
///
/// Empty lines and those that start with `#` count for nothing. Nothing is unquoted or expanded. A faulty line is
/// refused, not skipped.
public struct SettingsFile: Sendable {
    /// Why a file can't be used.
    public enum Failure: Error, Hashable, Sendable {
        /// It can't be read, is longer than `bytesMax`, or isn't UTF-8.
        case unreadable(path: String)
        /// This line, counted from 1, isn't `KEY=value` with a key of capital letters, digits and underscores.
        case malformedLine(path: String, line: Int)
        /// This line sets a key a second time.
        case repeatedKey(path: String, line: Int, key: String)
    }

    /// A longer file is refused.
    public static let bytesMax = 65_536

    /// Where it was read.
    public let path: String
    /// Its values by key.
    public let values: [String: String]

    /// Reads a file.
    public init(path: String) throws(Failure) {
        guard let data = FileManager.default.contents(atPath: path), data.count <= Self.bytesMax,
            let text = String(bytes: data, encoding: .utf8)
        else { throw .unreadable(path: path) }
        try self.init(path: path, text: text)
    }

    /// Takes a text as the contents of a file.
    init(path: String, text: String) throws(Failure) {
        var values: [String: String] = [:]
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.trimmingCharacters(in: .whitespaces)
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let equals = line.firstIndex(of: "="), Self.isKey(line[..<equals]) else {
                throw .malformedLine(path: path, line: index + 1)
            }
            let key = String(line[..<equals])
            let value = String(line[line.index(after: equals)...])
            guard values.updateValue(value, forKey: key) == nil else {
                throw .repeatedKey(path: path, line: index + 1, key: key)
            }
        }
        (self.path, self.values) = (path, values)
    }

    private static func isKey(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}

extension SettingsFile.Failure: CustomStringConvertible {
    /// A sentence that says where and what.
    public var description: String {
        switch self {
        case .unreadable(let path):
            "\(path) can't be read, or is no UTF-8 text of at most \(SettingsFile.bytesMax) bytes"
        case .malformedLine(let path, let line): "\(path), line \(line): not KEY=value"
        case .repeatedKey(let path, let line, let key): "\(path), line \(line): \(key) is set a second time"
        }
    }
}
