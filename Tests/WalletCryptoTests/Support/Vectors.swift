import Foundation
import Kernel
import Testing

enum Vectors {
    static let names = ["bitcoin", "common", "ethereum", "solana", "solana-payments", "sui", "sui-payments"]

    static func bytes(_ name: String) throws -> [UInt8] {
        let file = try #require(Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Vectors"))
        return Array(try Data(contentsOf: file))
    }

    /// The vectors of a kind in all files.
    static func all(_ kind: String) throws -> [JSON] {
        try names.flatMap { name in
            let json = try JSON.parse(try bytes(name), limits: JSON.Limits(bytesMax: 1 << 20))
            return (json.elements ?? []).filter { $0["kind"]?.stringValue == kind }
        }
    }
}

extension JSON {
    func text(_ name: String) throws -> String { try #require(self[name]?.stringValue) }
}
