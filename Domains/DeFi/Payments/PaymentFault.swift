import Kernel

/// What isn't as it was asked for in a payment that a user gave back, the gravest first.
enum PaymentFault: Error, Hashable, Sendable {
    /// No transaction, or of a kind that isn't taken.
    case unreadable
    /// For another network.
    case chain
    /// Another wallet pays for it, or it is another one's signature.
    case sender
    /// Something goes to another address.
    case recipient
    /// Another amount.
    case amount
    /// It uses something else than what was chosen.
    case inputs
    /// It offers another fee.
    case fee
    /// It does something else besides.
    case contents
    /// Not all of it is signed.
    case unsigned
    /// A signature that doesn't hold, or that is written in more than one way.
    case signature
    /// A signature over less than all of it.
    case signatureKind
}

extension PaymentFault {
    /// 422 with the reason, for whoever signed it.
    var problem: Problem {
        let (code, detail) = words
        return Problem(422, code, detail, faults: [Problem.Fault("/signed_transaction", code)])
    }

    private var words: (String, String) {
        switch self {
        case .unreadable: ("malformed_transaction", "This is no signed transaction of this chain.")
        case .chain: ("other_chain", "It is for another network.")
        case .sender: ("other_sender", "It is signed by another account.")
        case .recipient: ("other_recipient", "It pays to another address.")
        case .amount: ("other_value", "It pays another amount.")
        case .inputs: ("other_inputs", "It spends something else than what was chosen.")
        case .fee: ("other_fee", "It offers another fee.")
        case .contents: ("other_contents", "It does something that wasn't asked for.")
        case .unsigned: ("not_signed", "A signature is missing.")
        case .signature: ("bad_signature", "A signature doesn't hold.")
        case .signatureKind: ("partial_signature", "A signature leaves parts of it open. Sign all of it.")
        }
    }
}
