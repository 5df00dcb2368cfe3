extension SolanaTransaction {
    /// Reads a legacy message to its last byte; nil for anything else.
    ///
    /// Shortest lengths only, no account twice, none that no call needs.
    init?(message: [UInt8]) {
        guard message.count <= Self.bytesMax else { return nil }
        var reader = ByteReader(message)
        guard let accounts = Self.accounts(&reader), let blockhash = reader.take(32) else { return nil }
        // A call takes three bytes at least.
        guard let count = reader.uleb(), count * 3 <= reader.remaining else { return nil }
        var instructions: [SolanaInstruction] = []
        for _ in 0..<count {
            guard let call = Self.instruction(&reader, accounts) else { return nil }
            instructions.append(call)
        }
        guard reader.isAtEnd, let payer = accounts.first?.address else { return nil }
        self.init(payer: payer, blockhash: blockhash, instructions: instructions)
        // What the calls need is what the message allows: nothing that is only listed, no program that may change.
        guard Set(accounts) == Set(self.allowed) else { return nil }
    }

    private var allowed: [SolanaInstruction.Account] {
        let programs = instructions.map { SolanaInstruction.Account($0.program) }
        let named = instructions.flatMap(\.accounts) + [.init(payer, isSigner: true, isWritable: true)]
        return named + programs.filter { program in !named.contains { $0.address == program.address } }
    }

    private static func accounts(_ reader: inout ByteReader) -> [SolanaInstruction.Account]? {
        guard let signers = reader.byte(), let readOnlySigners = reader.byte(), let readOnlyOthers = reader.byte(),
            let count = reader.uleb(), count <= 256, count * 32 <= reader.remaining,
            readOnlySigners < signers, Int(signers) + Int(readOnlyOthers) <= count
        else { return nil }
        var accounts: [SolanaInstruction.Account] = []
        for place in 0..<count {
            guard let address = reader.take(32).flatMap(SolanaAddress.init(bytes:)) else { return nil }
            let isSigner = place < signers
            let changing = isSigner ? Int(signers) - Int(readOnlySigners) : count - Int(readOnlyOthers)
            accounts.append(SolanaInstruction.Account(address, isSigner: isSigner, isWritable: place < changing))
        }
        return Set(accounts.map(\.address)).count == count ? accounts : nil
    }

    private static func instruction(
        _ reader: inout ByteReader,
        _ accounts: [SolanaInstruction.Account]
    ) -> SolanaInstruction? {
        // The payer is no program.
        guard let program = reader.byte(), program > 0, Int(program) < accounts.count,
            let places = reader.uleb().flatMap({ reader.take($0) }),
            places.allSatisfy({ Int($0) < accounts.count }),
            let data = reader.uleb().flatMap({ reader.take($0) })
        else { return nil }
        return SolanaInstruction(accounts[Int(program)].address, places.map { accounts[Int($0)] }, data)
    }
}
