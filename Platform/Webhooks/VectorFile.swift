import Cryptography
public import Kernel

/// Why a file is no file of signature vectors.
public enum VectorFileError: Error, Hashable, Sendable {
    /// Not JSON.
    case json(JSONError)
    /// No object with `"format": 1` and an array `vectors`.
    case format
    /// More than `VectorFile.vectorsMax` vectors.
    case tooManyVectors
    /// A vector that lacks a field or has one of another kind: its position from 0 and the field.
    case vector(position: Int, field: String)
}

/// A file of signature vectors: requests, keys, and the verdict that each must have.
public struct VectorFile: Sendable {
    /// The largest file: 16 MiB.
    public static let bytesMax = 16 * 1_048_576
    /// The most vectors of a file.
    public static let vectorsMax = 100_000
    private static let format = 1

    struct Vector: Sendable {
        let id: String
        let provider: String
        let request: SignedRequest
        let keys: [String]
        let now: Timestamp
        let toleranceSeconds: Int64
        let accepts: Bool
        let reason: String
    }

    private let vectors: [Vector]

    /// Reads a file: `{"format": 1, "vectors": […]}`.
    ///
    /// A vector has `id`, `provider`, `now` and `tolerance_s` in seconds, `method`, `query` (optional, with its `?`),
    /// `headers` (pairs), `body_b64`, `keys` (`secrets`, `public`, `public_pem`), `expect` (`accept` or `reject`) and
    /// `reason`.
    ///
    /// - Throws: the first thing that is wrong with it.
    public init(parsing bytes: [UInt8]) throws(VectorFileError) {
        let json: JSON
        do throws(JSONError) {
            json = try JSON.parse(bytes, limits: JSON.Limits(bytesMax: VectorFile.bytesMax))
        } catch {
            throw .json(error)
        }
        guard json["format"]?.integerValue == VectorFile.format, let elements = json["vectors"]?.elements else {
            throw .format
        }
        guard elements.count <= VectorFile.vectorsMax else { throw .tooManyVectors }
        var vectors: [Vector] = []
        for (position, element) in elements.enumerated() {
            vectors.append(try VectorReader(json: element, position: position).vector())
        }
        self.vectors = vectors
    }

    /// Checks every vector with the verifiers that serve webhooks.
    public func run() -> VectorReport {
        var report = VectorReport()
        for vector in vectors {
            let actual = VectorFile.verdict(vector)
            let fits = actual == vector.reason && (actual == SignatureVerdict.ok.rawValue) == vector.accepts
            report.add(provider: vector.provider, id: vector.id, expected: vector.reason, actual: actual, fits: fits)
        }
        return report
    }

    // The reason code; `unknown_provider` for one whose signatures nobody here can check.
    private static func verdict(_ vector: Vector) -> String {
        guard let provider = WebhookProvider(rawValue: vector.provider) else { return "unknown_provider" }
        guard let keys = try? KeyRing(provider, texts: vector.keys) else {
            return SignatureVerdict.misconfiguredKey.rawValue
        }
        let verdict = provider.verifier.verify(
            vector.request,
            keys: keys,
            now: vector.now,
            toleranceSeconds: vector.toleranceSeconds
        )
        return verdict.rawValue
    }
}
