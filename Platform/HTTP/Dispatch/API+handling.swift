import Cryptography
import Kernel
import Logging
import Traces

extension API {
    /// Decodes and checks the body and runs the handler.
    ///
    /// Never throws: what goes wrong is answered.
    func finish(_ admitted: Admission.Admitted, body bytes: [UInt8]) async -> APIResponse {
        do {
            var request = admitted.request
            if let hash = request.signedBodyHash, hash != Hex.encode(SHA256Digest.of(bytes)) {
                throw Problem.unauthenticated
            }
            switch admitted.route.body {
            case .none: break
            case .raw:
                try screen.check(raw: bytes)
                request.rawBody = bytes
            case .json(let schema):
                request.body = try decode(bytes, schema, limitBytes: admitted.route.bodyLimitBytes)
                request.rawBody = bytes
            }
            let final = request
            return try await Traces.within(admitted.exchange.span) { try await admitted.route.handler(final) }
        } catch {
            return response(to: error, admitted.exchange)
        }
    }

    private func decode(_ bytes: [UInt8], _ schema: JSONSchema, limitBytes: Int) throws(Problem) -> JSON {
        guard !bytes.isEmpty else {
            throw Problem(400, "invalid_request", "The request needs a body.", faults: [Problem.Fault("", "missing")])
        }
        let value: JSON
        do throws(JSONError) {
            value = try JSON.parse(bytes, limits: JSON.Limits(bytesMax: limitBytes, allowsNUL: false))
        } catch {
            throw Problem(
                400,
                "malformed_json",
                "The body isn't JSON: \(error).",
                faults: [Problem.Fault("", error.code)]
            )
        }
        // Before the schema's faults, which name members that aren't known.
        try screen.check(value)
        var check = SchemaCheck()
        check.run(schema, value)
        guard check.faults.isEmpty else { throw .invalid(check.faults) }
        return check.hasLooseIntegers ? schema.normalised(value) : value
    }

    /// The one place where errors become answers.
    func response(to error: any Error, _ exchange: Exchange) -> APIResponse {
        switch error {
        case let error as any ProblemConvertible: return problem(error.problem, exchange)
        case is CancellationError:
            let refusal = Problem(
                503,
                "cancelled",
                "The request was broken off. Send it again, with the same key if it had one.",
                retryAfterSeconds: 1
            )
            return problem(refusal, exchange)
        default:
            services.logger.error(
                "unhandled error",
                metadata: [
                    "request_id": .string(exchange.requestID.wire),
                    "trace_id": .string(exchange.span?.place.traceID ?? "none"),
                    "operation": .string(exchange.route.map { routes[$0].operationID } ?? "none"),
                    "error": .string(String(reflecting: error)),
                ]
            )
            return problem(.internalError, exchange)
        }
    }
}
