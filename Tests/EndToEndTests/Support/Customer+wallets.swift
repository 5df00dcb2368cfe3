import Kernel
import Testing
import WalletCrypto
import WalletSigners

extension Customer {
    /// Links the wallet of a key on an Ethereum chain (CAIP-2) and proves that the key is there; answers with its id.
    func linkWallet(_ chain: String, _ signer: Signer) async throws -> String {
        let account = "\(chain):\(EthereumAddress(key: signer.key))"
        let made = try await post(
            "/v1/defi/wallets",
            ["account": .string(account), "label": "Test"],
            key: "wallet \(account)"
        )
        try #require(made.status == 201, "\(made.readable)")
        let challenge = try await post("/v1/defi/wallets/challenges", ["wallet": .string(made.text("id"))])
        let digest = PersonalMessage.digest(of: Array(challenge.text("message").utf8))
        let proof = try await post(
            "/v1/defi/wallets/\(made.text("id"))/verify",
            [
                "challenge": .string(challenge.text("id")),
                "signature": .string(HexText.encode(try signer.ethereum(digest))),
            ]
        )
        try #require(proof.text("status") == "verified", "\(proof.readable)")
        return made.text("id")
    }
}
