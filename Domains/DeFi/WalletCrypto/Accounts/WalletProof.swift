/// Checks what a wallet signed, for every chain the same way.
public enum WalletProof {
    /// Whether `signature`, in the form that the chain's wallets give it, is the account's over `message`.
    ///
    /// Bitcoin: BIP-137 or BIP-322 simple, Base 64. Ethereum: EIP-191, hexadecimal (contract accounts:
    /// `ContractSignature`). Solana: the raw text, or its off-chain envelope under `applicationDomain` (32 bytes).
    /// Sui: a personal message, Base 64.
    public static func verify(
        message: String,
        signature: String,
        address: String,
        chain: Chain,
        applicationDomain: [UInt8]? = nil
    ) -> ProofVerdict {
        switch chain {
        case .bitcoin: return BitcoinMessage.verify(message: message, signature: signature, address: address)
        case .ethereum: return PersonalMessage.verify(message: message, signature: signature, address: address)
        case .sui: return SuiMessage.verify(message: message, signature: signature, address: address)
        case .solana:
            let raw = SolanaMessage.verify(message: message, signature: signature, address: address)
            guard raw == .invalid(.mismatch), let applicationDomain else { return raw }
            let verdicts = SolanaOffchainMessage.Format.allCases.map {
                SolanaOffchainMessage.verify(
                    message: message,
                    format: $0,
                    applicationDomain: applicationDomain,
                    signature: signature,
                    address: address
                )
            }
            return verdicts.contains(.valid) ? .valid : raw
        }
    }
}
