import Foundation
import Kernel

/// A file with a provider's public key.
enum PublicKeyFile {
    /// The file's text, a PEM block.
    ///
    /// - Throws: an error of the file system that names the path.
    static func read(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
}
