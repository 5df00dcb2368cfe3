@testable import DeFi
import Kernel
import Testing

/// Accounts by extended public keys; those of BIP-84's test vectors.
@Suite struct ExtendedKeyTests {
    private let ada = ID<User>(1)
    private let key = """
        zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs
        """

    private func add(_ body: JSON, to world: WalletWorld) async throws -> Answer {
        try await world.send("POST", "/v1/defi/wallets/extended-keys", body, by: ada)
    }

    @Test func `a whole account is watched by its extended public key`() async throws {
        try await WalletWorld.with { world in
            let added = try await add(["extended_key": .string(key), "label": "Vault"], to: world)
            #expect(added.status == 201)
            #expect(added.text("address") == "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu")
            #expect(added.text("extended_key") == key)
            let path = "/v1/defi/wallets/\(added.text("id"))/addresses"
            let receiving = try await world.send("GET", path + "?count=2", by: ada)
            let addresses = receiving.json["data"]?.elements?.map { $0["address"]?.stringValue }
            #expect(
                addresses == [
                    "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g",
                ]
            )
            let change = try await world.send("GET", path + "?branch=change&count=1", by: ada)
            let first = change.json["data"]?.elements?.first?["address"]?.stringValue
            #expect(first == "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el")
            #expect(try await world.challenge(added.text("id"), for: ada).code == "wallet_not_provable")
        }
    }

    @Test func `a key for another script or network is refused`() async throws {
        try await WalletWorld.with { world in
            let base: [JSON.Member] = [JSON.Member("extended_key", .string(key)), JSON.Member("label", "Vault")]
            for (name, value) in [("script", "p2tr"), ("network", "testnet")] {
                let refused = try await add(.object(base + [JSON.Member(name, .string(value))]), to: world)
                #expect(refused.code == "extended_key_invalid")
                #expect(refused.faults == ["/extended_key \(name)"])
            }
            let broken = String(key.dropLast()) + "t"
            let refused = try await add(["extended_key": .string(broken), "label": "Vault"], to: world)
            #expect(refused.faults == ["/extended_key malformed"])
        }
    }

    @Test func `a wallet of one address has no others`() async throws {
        try await WalletWorld.with { world in
            let body: JSON = [
                "account": "eip155:1:0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045", "label": "Mine",
            ]
            let added = try await world.send("POST", "/v1/defi/wallets", body, by: ada)
            let path = "/v1/defi/wallets/\(added.text("id"))/addresses"
            #expect(try await world.send("GET", path, by: ada).code == "wallet_has_one_address")
        }
    }
}
