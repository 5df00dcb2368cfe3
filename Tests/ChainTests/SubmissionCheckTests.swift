import Cryptography
import Kernel
import Testing
import WalletCrypto
import WalletSigners

@testable import DeFi

/// What comes back signed must be what was asked for.
struct SubmissionCheckTests {
    private let signer: Signer
    private let wallet: EthereumAddress
    private let pool: EthereumAddress
    private let token: EthereumAddress

    init() throws {
        signer = try Signer(secret: [UInt8](repeating: 1, count: 32))
        wallet = EthereumAddress(key: signer.key)
        pool = try #require(EthereumAddress(bytes: [UInt8](repeating: 2, count: 20)))
        token = try #require(EthereumAddress(bytes: [UInt8](repeating: 3, count: 20)))
    }

    private struct Change {
        var chain: UInt64 = 1
        var nonce: UInt64 = 5
        var tip: UInt64 = 1
        var fee: UInt64 = 100
        var gas: UInt64 = 90_000
        var to: EthereumAddress?
        var value: UInt64 = 0
        var data: [UInt8]?
        var access: [EthereumTransaction.Access] = []
    }

    private func supply(to recipient: EthereumAddress) throws -> [UInt8] {
        try ProtocolDescription.aaveV3.start.function.callData([
            .address(token), .uint(BigUInt(1_000)), .address(recipient), .uint(.zero),
        ])
    }

    private func transaction(_ change: Change) throws -> EthereumTransaction {
        try #require(
            EthereumTransaction(
                chainID: change.chain,
                nonce: change.nonce,
                fee: .dynamic(maxFeePerGas: BigUInt(change.fee), maxPriorityFeePerGas: BigUInt(change.tip)),
                gasLimit: change.gas,
                to: change.to ?? pool,
                value: BigUInt(change.value),
                data: change.data ?? supply(to: wallet),
                accessList: change.access
            )
        )
    }

    private func fault(of change: Change, signedBy other: Signer? = nil) throws -> SubmissionCheck.Fault? {
        let signed = try (other ?? signer).sign(try transaction(change))
        do {
            _ = try SubmissionCheck.read(signed.bytes, for: try transaction(Change()), from: wallet)
            return nil
        } catch let fault as SubmissionCheck.Fault {
            return fault
        }
    }

    @Test func `what is as it was built is taken, and less for gas too`() throws {
        #expect(try fault(of: Change()) == nil)
        #expect(try fault(of: Change(fee: 90)) == nil)
    }

    @Test func `each thing that differs is refused by its name`() throws {
        let other = try Signer(secret: [UInt8](repeating: 9, count: 32))
        let stranger = EthereumAddress(key: other.key)
        #expect(try fault(of: Change(chain: 2)) == .chain(2))
        #expect(try fault(of: Change(), signedBy: other) == .sender(stranger))
        #expect(try fault(of: Change(to: token)) == .recipient(token))
        #expect(try fault(of: Change(nonce: 6)) == .nonce(6))
        #expect(try fault(of: Change(value: 1)) == .value)
        #expect(try fault(of: Change(data: [])) == .calldata)
        #expect(try fault(of: Change(fee: 101)) == .fee)
        #expect(try fault(of: Change(gas: 80_000)) == .fee)
        let access = EthereumTransaction.Access(address: pool, storageKeys: [])
        #expect(try fault(of: Change(access: [access])) == .accessList)
    }

    @Test func `a call that is dangerous says so`() throws {
        let stranger = try #require(EthereumAddress(bytes: [UInt8](repeating: 8, count: 20)))
        #expect(try fault(of: Change(data: supply(to: stranger))) == .call(.otherRecipient(stranger)))
        let unlimited = try KnownCall.approve.callData([.address(pool), .uint(.uint256Max)])
        #expect(try fault(of: Change(data: unlimited)) == .call(.unlimitedApproval))
        let half = BigUInt(bigEndian: [0x80] + [UInt8](repeating: 0, count: 31))
        let large = try KnownCall.approve.callData([.address(pool), .uint(half)])
        #expect(try fault(of: Change(data: large)) == .call(.unlimitedApproval))
        #expect(try fault(of: Change(data: [1, 2, 3, 4])) == .call(.unknownFunction([1, 2, 3, 4])))
        let cut = Array(try supply(to: wallet).dropLast())
        #expect(try fault(of: Change(data: cut)) == .call(.malformedArguments("bounds")))
    }

    @Test func `bytes that are no transaction are refused`() throws {
        #expect(throws: SubmissionCheck.Fault.unreadable(.malformed)) {
            _ = try SubmissionCheck.read([0xC0], for: try transaction(Change()), from: wallet)
        }
        #expect(throws: SubmissionCheck.Fault.unreadable(.unsupportedType(4))) {
            _ = try SubmissionCheck.read([4, 0xC0], for: try transaction(Change()), from: wallet)
        }
    }
}
