import Cryptography

/// One call of a program of Solana.
public struct SolanaInstruction: Hashable, Sendable {
    /// An account that a program gets, and what it may do with it.
    public struct Account: Hashable, Sendable {
        /// Which.
        public let address: SolanaAddress
        /// Whether it has signed.
        public let isSigner: Bool
        /// Whether it may be changed.
        public let isWritable: Bool

        init(_ address: SolanaAddress, isSigner: Bool = false, isWritable: Bool = false) {
            (self.address, self.isSigner, self.isWritable) = (address, isSigner, isWritable)
        }
    }

    /// Who is called.
    public let program: SolanaAddress
    /// The accounts in the program's order.
    public let accounts: [Account]
    /// What is asked, in the program's own form.
    public let data: [UInt8]

    init(_ program: SolanaAddress, _ accounts: [Account], _ data: [UInt8]) {
        (self.program, self.accounts, self.data) = (program, accounts, data)
    }

    /// How many compute units the transaction may use (ComputeBudget, `SetComputeUnitLimit`).
    static func unitLimit(_ units: UInt32) -> SolanaInstruction {
        var data: [UInt8] = [2]
        data.append(littleEndian: units)
        return SolanaInstruction(.computeBudgetProgram, [], data)
    }

    /// What is offered for each, in millionths of a lamport (ComputeBudget, `SetComputeUnitPrice`).
    static func unitPrice(_ microLamports: UInt64) -> SolanaInstruction {
        var data: [UInt8] = [3]
        data.append(littleEndian: microLamports)
        return SolanaInstruction(.computeBudgetProgram, [], data)
    }

    /// Moves lamports (System program, `Transfer`).
    static func transfer(_ lamports: UInt64, from: SolanaAddress, to: SolanaAddress) -> SolanaInstruction {
        var data: [UInt8] = [2, 0, 0, 0]
        data.append(littleEndian: lamports)
        return SolanaInstruction(
            .systemProgram,
            [Account(from, isSigner: true, isWritable: true), Account(to, isWritable: true)],
            data
        )
    }

    /// Makes an owner's account for a token where there is none (Associated Token Account, `CreateIdempotent`).
    static func createAccount(
        _ account: SolanaAddress,
        of owner: SolanaAddress,
        mint: SolanaAddress,
        payer: SolanaAddress
    ) -> SolanaInstruction {
        SolanaInstruction(
            .associatedTokenProgram,
            [
                Account(payer, isSigner: true, isWritable: true), Account(account, isWritable: true), Account(owner),
                Account(mint), Account(.systemProgram), Account(.tokenProgram),
            ],
            [1]
        )
    }

    /// Moves a token (SPL Token, `TransferChecked`): it fails where mint or decimals are others.
    static func transfer(
        _ units: UInt64,
        of token: SolanaPayment.Token,
        from source: SolanaAddress,
        to destination: SolanaAddress,
        owner: SolanaAddress
    ) -> SolanaInstruction {
        var data: [UInt8] = [12]
        data.append(littleEndian: units)
        data.append(token.decimals)
        return SolanaInstruction(
            .tokenProgram,
            [
                Account(source, isWritable: true), Account(token.mint), Account(destination, isWritable: true),
                Account(owner, isSigner: true),
            ],
            data
        )
    }
}
