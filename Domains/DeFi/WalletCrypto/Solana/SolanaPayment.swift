/// A payment of Solana's coin or of a token of SPL Token, as a transaction.
///
/// It says how much it offers for being taken, so that no wallet has a reason to add anything to it.
public struct SolanaPayment: Hashable, Sendable {
    /// A token.
    public struct Token: Hashable, Sendable {
        /// The account that names it.
        public let mint: SolanaAddress
        /// How many of its units' digits are behind the point.
        public let decimals: UInt8

        /// A token by its mint.
        public init(mint: SolanaAddress, decimals: UInt8) { (self.mint, self.decimals) = (mint, decimals) }
    }

    /// What it offers for being taken.
    public struct Fee: Hashable, Sendable {
        /// The most compute units that it may use.
        public let unitLimit: UInt32
        /// Millionths of a lamport for each.
        public let unitPrice: UInt64

        /// An offer.
        public init(unitLimit: UInt32, unitPrice: UInt64) { (self.unitLimit, self.unitPrice) = (unitLimit, unitPrice) }

        /// Lamports in all, with the one signature; nil where it is out of range.
        public var lamports: UInt64? {
            let (offered, overflow) = unitPrice.multipliedReportingOverflow(by: UInt64(unitLimit))
            guard !overflow, offered < UInt64.max - 1_000_000 else { return nil }
            return SolanaTransaction.lamportsPerSignature + (offered + 999_999) / 1_000_000
        }
    }

    /// Why a transaction is no such payment.
    public enum Fault: Error, Hashable, Sendable {
        /// It calls a program in a way that no payment does.
        case unknownCall(SolanaAddress)
        /// It is one, with calls that are missing, doubled or in another order.
        case otherCalls
    }

    /// Whose money it is; pays the fee and the recipient's new account, too.
    public let payer: SolanaAddress
    /// Who gets it: the owner, with a token.
    public let recipient: SolanaAddress
    /// Lamports, or the token's units.
    public let units: UInt64
    /// Which token; nil for the coin.
    public let token: Token?
    /// What it offers.
    public let fee: Fee
    /// As a transaction.
    public let transaction: SolanaTransaction

    /// A payment that can be taken while `blockhash` (32 bytes) is recent; nil when something is out of range.
    public init?(
        _ units: UInt64,
        of token: Token? = nil,
        from payer: SolanaAddress,
        to recipient: SolanaAddress,
        fee: Fee,
        blockhash: [UInt8]
    ) {
        var calls: [SolanaInstruction] = [.unitLimit(fee.unitLimit), .unitPrice(fee.unitPrice)]
        if let token {
            guard let source = SolanaAddress.tokenAccount(owner: payer, mint: token.mint),
                let destination = SolanaAddress.tokenAccount(owner: recipient, mint: token.mint)
            else { return nil }
            calls.append(.createAccount(destination, of: recipient, mint: token.mint, payer: payer))
            calls.append(.transfer(units, of: token, from: source, to: destination, owner: payer))
        } else {
            calls.append(.transfer(units, from: payer, to: recipient))
        }
        guard fee.lamports != nil, units > 0,
            let transaction = SolanaTransaction(payer: payer, blockhash: blockhash, instructions: calls)
        else { return nil }
        (self.payer, self.recipient, self.units, self.token) = (payer, recipient, units, token)
        (self.fee, self.transaction) = (fee, transaction)
    }

    /// The payment that a transaction is.
    ///
    /// - Throws: why it is none.
    public init(_ transaction: SolanaTransaction) throws(Fault) {
        var (limit, price): (UInt32?, UInt64?) = (nil, nil)
        var (units, decimals): (UInt64?, UInt8?) = (nil, nil)
        var (recipient, mint): (SolanaAddress?, SolanaAddress?) = (nil, nil)
        for call in transaction.instructions {
            let accounts = call.accounts.map(\.address)
            var reader = ByteReader(call.data)
            switch (call.program, reader.byte(), accounts.count) {
            case (.computeBudgetProgram, 2, 0): limit = reader.littleEndian32()
            case (.computeBudgetProgram, 3, 0): price = reader.littleEndian64()
            case (.systemProgram, 2, 2):
                _ = reader.take(3)
                (units, recipient) = (reader.littleEndian64(), accounts[1])
            case (.associatedTokenProgram, 1, 6): (recipient, mint) = (accounts[2], accounts[3])
            case (.tokenProgram, 12, 4): (units, decimals) = (reader.littleEndian64(), reader.byte())
            default: throw .unknownCall(call.program)
            }
        }
        guard let limit, let price, let units, let recipient else { throw .otherCalls }
        let token = mint.flatMap { mint in decimals.map { Token(mint: mint, decimals: $0) } }
        let payment = SolanaPayment(
            units,
            of: token,
            from: transaction.payer,
            to: recipient,
            fee: Fee(unitLimit: limit, unitPrice: price),
            blockhash: transaction.blockhash
        )
        // Whatever a payment says is a payment only if it is built like one.
        guard let payment, payment.transaction == transaction else { throw .otherCalls }
        self = payment
    }
    /// Reads a payment as wallets take it, with zeros in the place of its one signature; nil for anything else.
    public init?(unsigned bytes: [UInt8]) {
        guard bytes.count > 65, let transaction = SolanaTransaction(message: Array(bytes[65...])),
            transaction.unsignedBytes == bytes, let payment = try? SolanaPayment(transaction)
        else { return nil }
        self = payment
    }
}
