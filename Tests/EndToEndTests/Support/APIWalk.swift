import Foundation
import Kernel
import Testing

/// The operations of a running server, as its own description tells them, and requests for them that are well-formed.
struct APIWalk: Sendable {
    /// A method of a path.
    struct Operation: Sendable, CustomStringConvertible {
        let method: String
        let path: String
        let isPublic: Bool
        let needsKey: Bool
        let needsVersion: Bool
        let body: JSON?
        /// By name, those of the path alone.
        let parameters: [String: JSON]

        var description: String { "\(method) \(path)" }
        /// What names an object: `/v1/defi/wallets/{id}`.
        var hasObject: Bool { path.contains("{") }
    }

    /// Members of bodies and parameters that name objects, by the prefix of their ids.
    typealias Objects = [String: String]

    private let document: JSON
    let operations: [Operation]

    /// Reads a server's description.
    init(_ client: WireClient) async throws {
        let answer = try await client.send("GET", "/openapi.json")
        try #require(answer.status == 200)
        document = try JSON.parse(answer.body, limits: JSON.Limits(bytesMax: 16_777_216))
        operations = APIWalk.members(document["paths"]).flatMap { path, methods in
            APIWalk.members(methods).map { APIWalk.operation($0.uppercased(), path, $1) }
        }
        #expect(operations.count > 100)
    }

    /// The path with an object in it: by the path itself, by the prefix that its id has, or by the parameter's name.
    func target(_ operation: Operation, _ objects: Objects) -> String? {
        var path = operation.path
        for (name, schema) in operation.parameters {
            guard let value = objects[operation.path] ?? objects[APIWalk.prefix(schema) ?? name] else { return nil }
            path = path.replacing("{\(name)}", with: value)
        }
        return path
    }

    /// A body that fits, about some objects; nil where there is none.
    func body(_ operation: Operation, _ objects: Objects) -> [UInt8]? {
        operation.body.map { example($0, objects).serialized() }
    }

    /// Whether a body names an object of somebody's.
    func namesObject(_ operation: Operation, _ objects: Objects) -> Bool {
        guard let shape = operation.body.map(resolved) else { return false }
        return APIWalk.members(shape["properties"]).contains { objects[APIWalk.prefix(resolved($1)) ?? ""] != nil }
    }

    private static func operation(_ method: String, _ path: String, _ operation: JSON) -> Operation {
        let parameters = operation["parameters"]?.elements ?? []
        func needs(_ header: String) -> Bool { parameters.contains { $0["name"]?.stringValue == header } }
        let inPath = parameters.filter { $0["in"] == "path" }
        return Operation(
            method: method,
            path: path,
            isPublic: operation["security"]?.elements?.isEmpty ?? true,
            needsKey: needs("Idempotency-Key"),
            needsVersion: needs("If-Match"),
            body: operation["requestBody"]?["content"]?["application/json"]?["schema"],
            parameters: Dictionary(
                uniqueKeysWithValues: inPath.map { ($0["name"]?.stringValue ?? "", $0["schema"] ?? .null) }
            )
        )
    }

    private static func members(_ json: JSON?) -> [(String, JSON)] {
        guard case .object(let members)? = json else { return [] }
        return members.map { ($0.name, $0.value) }
    }

    /// `wlt` for a schema of ids of wallets.
    private static func prefix(_ schema: JSON) -> String? {
        guard let pattern = schema["pattern"]?.stringValue, pattern.hasPrefix("^"), pattern.contains("_[0-7]") else {
            return nil
        }
        return pattern.dropFirst().split(separator: "_").first.map { String($0) }
    }

    private func resolved(_ schema: JSON) -> JSON {
        guard let name = schema["$ref"]?.stringValue?.split(separator: "/").last else { return schema }
        return document["components"]?["schemas"]?[String(name)] ?? .null
    }

    private func example(_ reference: JSON, _ objects: Objects) -> JSON {
        let schema = resolved(reference)
        if let object = APIWalk.prefix(schema).flatMap({ objects[$0] }) { return .string(object) }
        if let example = schema["examples"]?.elements?.first { return example }
        if let choice = (schema["enum"] ?? schema["anyOf"])?.elements?.first { return example(choice, objects) }
        switch schema["type"]?.stringValue {
        case "object":
            let required = schema["required"]?.elements?.compactMap(\.stringValue) ?? []
            let members = APIWalk.members(schema["properties"])
            // Where nothing is required, something still has to be said.
            let chosen = members.enumerated().filter { place, member in
                required.contains(member.0) || APIWalk.prefix(resolved(member.1)) != nil
                    || required.isEmpty && place == 0
            }
            return .object(chosen.map { JSON.Member($0.element.0, example($0.element.1, objects)) })
        case "array":
            let count = schema["minItems"]?.integerValue ?? 0
            return .array(Array(repeating: example(schema["items"] ?? .null, objects), count: count))
        case "integer": return schema["minimum"] ?? .integer(1)
        case "boolean": return true
        case "string": return .string(schema["pattern"]?.stringValue?.hasPrefix("^0x") == true ? "0xabcdef" : "aaaa")
        default: return schema
        }
    }
}
