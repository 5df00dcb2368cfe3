import Foundation
import Testing

enum Vectors {
    static let minimal = """
        {"format":1,"vectors":[{"id":"v","provider":"stripe","now":1795200000,"tolerance_s":300,"method":"POST",\
        "headers":[],"body_b64":"e30=","keys":{"secrets":["whsec_x"]},"expect":"reject","reason":"missing_header"}]}
        """

    static func bytes(_ name: String) throws -> [UInt8] {
        let file = try #require(Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Vectors"))
        return Array(try Data(contentsOf: file))
    }
}
