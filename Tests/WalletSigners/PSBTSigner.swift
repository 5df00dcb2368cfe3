import Cryptography
public import WalletCrypto

extension Signer {
    /// A PSBT with this key's signature for each of its inputs, which are of one form; others don't have it finalised.
    public func sign(_ psbt: PSBT, form: BitcoinScript.SingleKey) throws -> PSBT {
        guard let spent = psbt.spent else { throw Refusal() }
        let hashes = BitcoinSighash(psbt.transaction, spending: spent)
        guard case .witness(0, let hash)? = BitcoinScript(.p2wpkh, key: key) else { throw Refusal() }
        var maps: [[PSBT.Entry]] = []
        for (place, entries) in psbt.inputs.enumerated() {
            let signature: PSBT.Entry =
                switch form {
                case .p2tr:
                    PSBT.Entry(type: 0x13, keyData: [], value: try taproot(hashes.taproot(place, hashType: 0)))
                case .p2wpkh, .nestedP2WPKH:
                    PSBT.Entry(
                        type: 0x02,
                        keyData: key.compressed,
                        value: try der(hashes.segwit(place, keyHash: hash)) + [1]
                    )
                case .p2pkh:
                    PSBT.Entry(type: 0x02, keyData: key.compressed, value: try der(hashes.legacy(place)) + [1])
                }
            maps.append(entries + [signature])
        }
        return psbt.with(inputs: maps)
    }
}
