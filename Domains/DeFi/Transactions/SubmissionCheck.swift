import Kernel
import WalletCrypto

/// Whether what a user signed is what was asked for.
enum SubmissionCheck {
    /// What isn't as it was asked for, the gravest first.
    enum Fault: Error, Hashable, Sendable {
        /// No transaction, or of a kind that isn't taken.
        case unreadable(SignedEthereumTransaction.Fault)
        /// Its call isn't one that is let through.
        case call(KnownCall.Fault)
        /// For another chain.
        case chain(UInt64)
        /// Signed by another account.
        case sender(EthereumAddress)
        /// It goes to another address, or creates a contract.
        case recipient(EthereumAddress?)
        /// Another nonce.
        case nonce(UInt64)
        /// Another amount of the chain's coin.
        case value
        /// Another call.
        case calldata
        /// An access list that nobody asked for.
        case accessList
        /// It offers more for gas than was agreed, or less gas than the call may need.
        case fee
    }

    /// The transaction in bytes that a user returned for an intent.
    ///
    /// - Throws: the gravest fault.
    static func read(
        _ bytes: [UInt8],
        for intent: EthereumTransaction,
        from wallet: EthereumAddress
    ) throws(Fault) -> SignedEthereumTransaction {
        let signed: SignedEthereumTransaction
        do throws(SignedEthereumTransaction.Fault) {
            signed = try SignedEthereumTransaction(bytes)
        } catch {
            throw .unreadable(error)
        }
        let given = signed.transaction
        guard given.chainID == intent.chainID else { throw .chain(given.chainID) }
        if given.data != intent.data, !given.data.isEmpty {
            // What it would do instead is the best answer.
            do throws(KnownCall.Fault) {
                _ = try KnownCall(given.data, from: wallet)
            } catch {
                throw .call(error)
            }
        }
        guard signed.sender == wallet else { throw .sender(signed.sender) }
        guard given.to == intent.to else { throw .recipient(given.to) }
        guard given.nonce == intent.nonce else { throw .nonce(given.nonce) }
        guard given.value == intent.value else { throw .value }
        guard given.data == intent.data else { throw .calldata }
        guard given.accessList.isEmpty else { throw .accessList }
        guard given.gasLimit >= intent.gasLimit, given.costMax <= intent.costMax else { throw .fee }
        return signed
    }
}

extension SubmissionCheck.Fault {
    /// 422 with the reason, for whoever signed it.
    var problem: Problem {
        let (code, detail) = words
        return Problem(422, code, detail, faults: [Problem.Fault("/signed_transaction", code)])
    }

    private var words: (String, String) {
        switch self {
        case .unreadable(.unsupportedType(let type)):
            ("unsupported_transaction_type", "Type \(type) isn't taken. Sign one of type 0, 1 or 2.")
        case .unreadable(.unprotected):
            ("unprotected_transaction", "Without a chain it could be played again on every chain (EIP-155).")
        case .unreadable(.highS): ("high_s", "The signature has the larger of two possible s (EIP-2).")
        case .unreadable: ("malformed_transaction", "This is no signed transaction.")
        case .call(.unknownFunction(let selector)):
            ("unknown_function", "It calls a function that isn't known: \(HexText.encode(selector)).")
        case .call(.malformedArguments): ("malformed_call", "The arguments of its call aren't those of the function.")
        case .call(.unlimitedApproval):
            ("unlimited_approval", "It lets a contract take any amount. Approve exactly what is asked for.")
        case .call(.otherRecipient(let address)):
            ("other_recipient", "What comes out would go to \(address), not to the wallet.")
        case .chain(let chain): ("other_chain", "It is for chain \(chain).")
        case .sender(let address): ("other_sender", "It is signed by \(address).")
        case .recipient(let address): ("other_recipient", "It goes to \(address?.description ?? "a new contract").")
        case .nonce(let nonce): ("other_nonce", "It has the nonce \(nonce).")
        case .value: ("other_value", "It carries another amount.")
        case .calldata: ("other_calldata", "It makes another call.")
        case .accessList: ("access_list", "It has an access list that wasn't asked for.")
        case .fee: ("other_fee", "It offers more for gas than was agreed, or allows less gas.")
        }
    }
}
