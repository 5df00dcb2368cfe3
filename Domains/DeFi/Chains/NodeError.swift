import OutboundHTTP

/// Why a node gave no answer that can be used.
enum NodeError: Error, Hashable, Sendable {
    /// The node wasn't reached, or its answer got lost: `delivery` says whether it may have acted.
    case unreachable(OutboundError.Delivery, why: String)
    /// It answered, and not as the protocol has it.
    case malformed(String)
    /// It refused: the code and the message of JSON-RPC.
    case refused(code: Int, message: String)
    /// The nodes that are asked don't say the same.
    case disagreement(String)
}

extension NodeError {
    /// Whether it may be the question: other ones may be answered.
    var isOfAQuestion: Bool {
        switch self {
        case .unreachable: false
        case .malformed, .refused, .disagreement: true
        }
    }

    /// Whether there is an answer, and it can't be believed; else there is none.
    var isAboutAnswer: Bool {
        switch self {
        case .disagreement, .malformed: true
        case .unreachable, .refused: false
        }
    }
}

extension NodeError: CustomStringConvertible {
    var description: String {
        switch self {
        case .unreachable(_, let why): "unreachable: \(why)"
        case .malformed(let what): "malformed answer: \(what)"
        case .refused(let code, let message): "refused (\(code)): \(message)"
        case .disagreement(let what): "the nodes disagree: \(what)"
        }
    }
}
