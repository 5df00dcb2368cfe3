import Cryptography
import Kernel
import WalletCrypto

extension SuiChain {
    /// What was built.
    static func built(_ payment: UnsignedPayment) -> SuiPayment? {
        Base64.decode(payment.text).flatMap { try? SuiPayment($0) }
    }

    func read(
        _ returned: ReturnedPayment,
        for payment: UnsignedPayment,
        of order: PaymentOrder
    ) throws(PaymentFault) -> SignedTransaction {
        guard let bytes = Base64.decode(returned.transaction), let built = Self.built(payment) else {
            throw .unreadable
        }
        let given: SuiPayment
        do throws(SuiPayment.Fault) {
            given = try SuiPayment(bytes)
        } catch {
            throw PaymentFault(error)
        }
        if given != built { throw Self.difference(given, built) }
        guard let text = returned.signature else { throw .unsigned }
        guard let signature = Base64.decode(text) else { throw .signature }
        do throws(SignedSuiPayment.Fault) {
            return SignedTransaction(raw: try SignedSuiPayment(given, signature: signature).bytes, hash: given.digest)
        } catch {
            guard case .signature(.invalid(.otherKey)) = error else { throw .signature }
            throw .sender
        }
    }

    /// What isn't as it was built, the gravest first.
    private static func difference(_ given: SuiPayment, _ built: SuiPayment) -> PaymentFault {
        if given.sender != built.sender { return .sender }
        if given.recipient != built.recipient { return .recipient }
        if given.units != built.units { return .amount }
        if given.coins != built.coins || given.gas.payment != built.gas.payment { return .inputs }
        if given.gas != built.gas { return .fee }
        return .contents
    }
}

extension PaymentFault {
    /// Why bytes are no payment.
    init(_ fault: SuiPayment.Fault) {
        switch fault {
        case .malformed: self = .unreadable
        case .sponsored: self = .sender
        case .unknownInput, .unknownCommand, .unlimited, .otherCommands: self = .contents
        }
    }
}
