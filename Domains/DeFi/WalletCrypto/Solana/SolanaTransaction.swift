/// A transaction of Solana before it is signed; its message in the legacy form.
///
/// Two are equal when they do the same: a message may list its accounts in any order.
public struct SolanaTransaction: Hashable, Sendable {
    /// The most bytes of a signed one: what fits into a packet (IPv6's smallest MTU less headers).
    public static let bytesMax = 1232
    /// How many blocks a blockhash counts for.
    public static let blocksMax: Int64 = 150
    /// Lamports for each signature.
    public static let lamportsPerSignature: UInt64 = 5_000

    /// Who pays the fee, and signs first.
    public let payer: SolanaAddress
    /// A recent block's hash, 32 bytes: after it is too old, the transaction can't be taken any more.
    public let blockhash: [UInt8]
    /// Its calls, each account with what the whole message allows.
    public let instructions: [SolanaInstruction]

    /// A transaction of calls; nil when the hash isn't of 32 bytes or it doesn't fit into a packet.
    init?(payer: SolanaAddress, blockhash: [UInt8], instructions: [SolanaInstruction]) {
        guard blockhash.count == 32, !instructions.isEmpty else { return nil }
        (self.payer, self.blockhash) = (payer, blockhash)
        // A message says once for each account what may be done with it, for all calls.
        let allowed = Self.privileges(payer, instructions)
        self.instructions = instructions.map { call in
            SolanaInstruction(call.program, call.accounts.map { allowed[$0.address] ?? $0 }, call.data)
        }
        guard allowed.count <= 256, signers.count * 64 + 1 + message.count <= Self.bytesMax else { return nil }
    }

    /// The accounts that must sign, the payer first.
    public var signers: [SolanaAddress] { accounts.filter(\.isSigner).map(\.address) }

    /// What is signed.
    public var message: [UInt8] {
        let accounts = accounts
        var places: [SolanaAddress: UInt8] = [:]
        for (place, account) in accounts.enumerated() { places[account.address] = UInt8(truncatingIfNeeded: place) }
        let readOnly = accounts.filter { !$0.isWritable }
        var bytes = [
            accounts.filter(\.isSigner).count, readOnly.filter(\.isSigner).count,
            readOnly.filter { !$0.isSigner }.count,
        ].map { UInt8(truncatingIfNeeded: $0) }
        bytes.append(uleb: accounts.count)
        bytes += accounts.flatMap(\.address.bytes) + blockhash
        bytes.append(uleb: instructions.count)
        for call in instructions {
            bytes.append(places[call.program] ?? 0)
            bytes.append(uleb: call.accounts.count)
            bytes += call.accounts.map { places[$0.address] ?? 0 }
            bytes.append(uleb: call.data.count)
            bytes += call.data
        }
        return bytes
    }

    /// As wallets take it: with zeros in the place of each signature.
    public var unsignedBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(uleb: signers.count)
        return bytes + [UInt8](repeating: 0, count: signers.count * 64) + message
    }

    /// All accounts in a message's order: the payer, signers, the rest; of both, those that change first; then by
    /// their bytes, as Solana's own tools have it.
    private var accounts: [SolanaInstruction.Account] {
        func rank(_ account: SolanaInstruction.Account) -> Int {
            if account.address == payer { return 0 }
            return (account.isSigner ? 1 : 3) + (account.isWritable ? 0 : 1)
        }
        return Self.privileges(payer, instructions).values.sorted { one, other in
            let ranks = (rank(one), rank(other))
            if ranks.0 != ranks.1 { return ranks.0 < ranks.1 }
            return one.address.bytes.lexicographicallyPrecedes(other.address.bytes)
        }
    }

    private static func privileges(
        _ payer: SolanaAddress,
        _ instructions: [SolanaInstruction]
    ) -> [SolanaAddress: SolanaInstruction.Account] {
        let payers = [SolanaInstruction.Account(payer, isSigner: true, isWritable: true)]
        var allowed: [SolanaAddress: SolanaInstruction.Account] = [:]
        for account in payers + instructions.flatMap({ $0.accounts + [.init($0.program)] }) {
            let known = allowed[account.address] ?? account
            allowed[account.address] = SolanaInstruction.Account(
                account.address,
                isSigner: known.isSigner || account.isSigner,
                isWritable: known.isWritable || account.isWritable
            )
        }
        return allowed
    }
}
