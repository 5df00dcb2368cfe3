import Cryptography
import Kernel
import WalletCrypto

extension SolanaChain {
    func read(
        _ returned: ReturnedPayment,
        for payment: UnsignedPayment,
        of order: PaymentOrder
    ) throws(PaymentFault) -> SignedTransaction {
        guard returned.signature == nil, let bytes = Base64.decode(returned.transaction),
            let built = Base64.decode(payment.text).flatMap(SolanaPayment.init(unsigned:))
        else { throw .unreadable }
        let signed: SignedSolanaTransaction
        do throws(SignedSolanaTransaction.Fault) {
            signed = try SignedSolanaTransaction(bytes)
        } catch {
            throw PaymentFault(error, bytes)
        }
        guard signed.transaction.payer == built.payer else { throw .sender }
        guard signed.transaction != built.transaction else {
            return SignedTransaction(raw: bytes, hash: signed.signature)
        }
        throw Self.difference(signed.transaction, built)
    }

    /// What isn't as it was built, the gravest first.
    private static func difference(_ transaction: SolanaTransaction, _ built: SolanaPayment) -> PaymentFault {
        guard let given = try? SolanaPayment(transaction) else { return .contents }
        if given.recipient != built.recipient || given.token != built.token { return .recipient }
        if given.units != built.units { return .amount }
        if given.fee != built.fee { return .fee }
        return .contents
    }
}

extension PaymentFault {
    /// Why bytes are no signed transaction.
    init(_ fault: SignedSolanaTransaction.Fault, _ bytes: [UInt8]) {
        switch fault {
        case .malformed, .versioned: self = .unreadable
        case .signature:
            // Zeros stand for a signature that is still to come.
            self = bytes.dropFirst().prefix(64).allSatisfy { $0 == 0 } ? .unsigned : .signature
        case .weakKey, .privateMaterial: self = .signature
        }
    }
}
