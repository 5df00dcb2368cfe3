import WalletCrypto

/// Whether what a user signed is the payment that was built.
enum BitcoinSubmission {
    /// A signed transaction in hexadecimal behind `0x`, or a PSBT in Base 64 with its signatures, final or not.
    ///
    /// - Throws: the gravest fault.
    static func read(_ text: String, for payment: UnsignedPayment) throws(PaymentFault) -> SignedTransaction {
        guard let built = try? PSBT(base64: payment.text), let spent = built.spent else {
            preconditionFailure("a payment that wasn't built here")
        }
        let signed: BitcoinTransaction
        if let bytes = HexText.decode(text) {
            guard let transaction = BitcoinTransaction(bytes) else { throw .unreadable }
            try check(transaction.unsigned, is: built.transaction)
            signed = transaction
        } else {
            guard let returned = try? PSBT(base64: text) else { throw .unreadable }
            try check(returned.transaction, is: built.transaction)
            guard let transaction = returned.finalized(spending: spent) else { throw .unsigned }
            signed = transaction
        }
        do throws(BitcoinSpending.Fault) {
            try BitcoinSpending.verify(signed, spending: spent)
        } catch {
            throw PaymentFault(error)
        }
        return SignedTransaction(raw: signed.bytes, hash: signed.printedID)
    }

    /// Its first output is what is paid, the second one, if there is one, the change.
    private static func check(
        _ given: BitcoinTransaction,
        is built: BitcoinTransaction
    ) throws(PaymentFault) {
        guard given != built else { return }
        guard given.outputs.map(\.script) == built.outputs.map(\.script) else { throw .recipient }
        guard given.outputs[0].amount == built.outputs[0].amount else { throw .amount }
        guard given.inputs == built.inputs else { throw .inputs }
        guard given.outputs == built.outputs else { throw .fee }
        throw .contents
    }
}

extension PaymentFault {
    /// What a signature that doesn't count is to whoever signed.
    fileprivate init(_ fault: BitcoinSpending.Fault) {
        self =
            switch fault {
            case .unsigned: .unsigned
            case .otherKey: .sender
            case .signature, .script: .signature
            case .partial: .signatureKind
            }
    }
}
