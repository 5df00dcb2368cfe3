import Kernel
import Testing
import WalletCrypto

@testable import DeFi

/// Which transactions of a block of Solana are looked at.
struct SolanaBlockTests {
    private static let vote = "Vote111111111111111111111111111111111111111"

    /// A block with one transaction that names the vote's program last.
    private func entries(
        before: [Int],
        after: [Int],
        tokensBefore: String = "[]",
        tokensAfter: String = "[]"
    ) throws -> [SolanaBlock.Entry] {
        func key(_ place: UInt8, _ count: Int = 32) -> String { Base58.encode([UInt8](repeating: place, count: count)) }
        let text = """
            {"blockhash": "\(key(1))", "previousBlockhash": "\(key(2))", "blockTime": 1713571767, "transactions": [
            {"transaction": {"signatures": ["\(key(3, 64))"], "accountKeys": [{"pubkey": "\(key(4))"},
            {"pubkey": "\(key(5))"}, {"pubkey": "\(Self.vote)"}]},
            "meta": {"err": null, "fee": 5000, "preBalances": \(before), "postBalances": \(after),
            "preTokenBalances": \(tokensBefore), "postTokenBalances": \(tokensAfter)}}]}
            """
        return try SolanaBlock(try JSON.parse(Array(text.utf8)), slot: 7, .accounts).entries
    }

    @Test func `a vote moves nothing but its fee and is passed over`() throws {
        #expect(try entries(before: [1_000_000, 7, 1], after: [995_000, 7, 1]).isEmpty)
    }

    @Test func `a transfer that names the vote's program beside is a transfer`() throws {
        let moved = try entries(before: [1_000_000, 7, 1], after: [895_000, 100_007, 1])
        #expect(moved.count == 1 && moved[0].fee == 5_000)
        #expect(moved[0].lamports.values.sorted() == [-105_000, 100_000])
    }

    @Test func `what is drawn from an account that votes is no vote`() throws {
        // The payer gets it and pays its fee of it.
        let drawn = try entries(before: [1_000_000, 500_000, 1], after: [1_295_000, 200_000, 1])
        #expect(drawn.count == 1 && drawn[0].lamports.values.sorted() == [-300_000, 295_000])
    }

    @Test func `tokens that move beside a vote are looked at`() throws {
        let mint = Base58.encode([UInt8](repeating: 7, count: 32))
        let owner = Base58.encode([UInt8](repeating: 6, count: 32))
        func tokens(_ amount: Int) -> String {
            #"[{"owner": "\#(owner)", "mint": "\#(mint)", "uiTokenAmount": {"amount": "\#(amount)"}}]"#
        }
        let moved = try entries(
            before: [1_000_000, 7, 1],
            after: [995_000, 7, 1],
            tokensBefore: tokens(250),
            tokensAfter: tokens(200)
        )
        #expect(moved.count == 1 && moved[0].units.values.first?.values.first == -50)
    }
}
