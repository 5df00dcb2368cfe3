public import Kernel

/// Why a file is no file of wallet vectors.
public enum VectorFileError: Error, Hashable, Sendable {
    /// Not JSON.
    case json(JSONError)
    /// Not an array of objects.
    case format
    /// More than `VectorFile.vectorsMax` vectors.
    case tooManyVectors
    /// A vector whose kind nobody here can check: its position from 0 and the kind.
    case unknownKind(position: Int, kind: String)
    /// A vector that lacks a field or has one of another kind: its position from 0 and the field.
    case vector(position: Int, field: String)
}

extension VectorFileError: CustomStringConvertible {
    /// A sentence for people.
    public var description: String {
        switch self {
        case .json(let error): "The file is no JSON: \(error)."
        case .format: "The file is no array of vectors."
        case .tooManyVectors: "The file has more than \(VectorFile.vectorsMax) vectors."
        case .unknownKind(let position, let kind): "Vector \(position) has the unknown kind \(kind)."
        case .vector(let position, let field): "Vector \(position) lacks a usable \(field)."
        }
    }
}

/// A file of wallet vectors: inputs, and what has to come out.
public struct VectorFile: Sendable {
    /// The largest file: 16 MiB.
    public static let bytesMax = 16 * 1_048_576
    /// The most vectors of a file.
    public static let vectorsMax = 100_000

    private struct Vector: Sendable {
        let id: String
        let kind: String
        let input: JSON
        let expected: JSON
        let check: VectorCheck
    }

    private let vectors: [Vector]

    /// Reads a file: an array of objects with `id`, `kind`, `input` and `expected`.
    ///
    /// - Throws: the first thing that is wrong with it.
    public init(parsing bytes: [UInt8]) throws(VectorFileError) {
        let json: JSON
        do throws(JSONError) {
            json = try JSON.parse(bytes, limits: JSON.Limits(bytesMax: VectorFile.bytesMax, depthMax: 64))
        } catch {
            throw .json(error)
        }
        guard let elements = json.elements else { throw .format }
        guard elements.count <= VectorFile.vectorsMax else { throw .tooManyVectors }
        var vectors: [Vector] = []
        for (position, element) in elements.enumerated() {
            guard let id = element["id"]?.stringValue else { throw .vector(position: position, field: "id") }
            guard let kind = element["kind"]?.stringValue else { throw .vector(position: position, field: "kind") }
            guard let check = VectorChecks.all[kind] else { throw .unknownKind(position: position, kind: kind) }
            guard let input = element["input"], case .object = input else {
                throw .vector(position: position, field: "input")
            }
            guard let expected = element["expected"], case .object(let members) = expected, !members.isEmpty else {
                throw .vector(position: position, field: "expected")
            }
            vectors.append(Vector(id: id, kind: kind, input: input, expected: expected, check: check))
        }
        self.vectors = vectors
    }

    /// Checks every vector with the code that serves wallets.
    ///
    /// - Throws: `vector` for the first one whose input can't be read.
    public func run() throws(VectorFileError) -> VectorReport {
        var report = VectorReport()
        for (position, vector) in vectors.enumerated() {
            let actual: JSON
            do throws(VectorInput.Missing) {
                actual = try vector.check(VectorInput(json: vector.input))
            } catch {
                throw .vector(position: position, field: error.field)
            }
            let difference = VectorComparison.firstDifference(expected: vector.expected, actual: actual)
            report.add(kind: vector.kind, id: vector.id, difference: difference)
        }
        return report
    }
}
