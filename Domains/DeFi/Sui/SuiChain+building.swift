import Cryptography
import Kernel
import WalletCrypto

extension SuiChain {
    // What a payment takes (docs.sui.io, "Gas pricing"): computation comes in buckets, a payment's is the first, of
    // 1,000 units; each object is charged about 1,000,000 MIST for its place, and gives it back when it changes or
    // goes. The budget allows five times that.
    private static let (units, unitsMax): (UInt64, UInt64) = (1_000, 5_000)
    private static let (storage, storageMax): (UInt64, UInt64) = (2_000_000, 10_000_000)
    /// The most that is offered: 0.1 SUI.
    private static let feeMax: UInt64 = 100_000_000

    func build(_ order: PaymentOrder) async throws -> UnsignedPayment {
        guard let sender = SuiAddress(order.wallet.address), let recipient = SuiAddress(order.recipient),
            let units = UInt64(exactly: order.amount.minorUnits), units > 0
        else { throw Self.outOfRange }
        let head = try await asked { () async throws(NodeError) in try await first.head() }
        let (price, overflow) = head.gasPrice.multipliedReportingOverflow(by: Self.unitsMax)
        guard !overflow, price <= Self.feeMax else {
            throw Problem(422, "fee_too_high", "The network asks for more than 0.1 SUI now. Try later.")
        }
        let budget = price + Self.storageMax
        let isCoin = order.amount.asset == .sui
        let (needed, tooMuch) = budget.addingReportingOverflow(isCoin ? units : 0)
        guard !tooMuch else { throw Self.outOfRange }
        let gas = try await chosen(order, sender, Self.coinType, needed, .sui)
        var coins: [SuiObjectReference] = []
        if !isCoin {
            guard let type = tokens.first(where: { $0.asset == order.amount.asset })?.type else {
                throw Self.outOfRange
            }
            coins = try await chosen(order, sender, type, units, order.amount.asset)
        }
        let payment = SuiPayment(
            units,
            of: coins,
            from: sender,
            to: recipient,
            gas: SuiPayment.Gas(payment: gas, price: head.gasPrice, budget: budget),
            // This one may be over in a moment.
            lastEpoch: head.epoch + 1
        )
        guard let payment else { throw Self.outOfRange }
        return UnsignedPayment(
            text: Base64.encode(payment.bytes),
            inputs: (gas + coins).map { Self.item($0.id, $0.version) },
            fee: Int128(head.gasPrice * Self.units + Self.storage),
            feeMax: Int128(budget),
            details: ["digest": .string(Base58.encode(payment.digest))]
        )
    }

    /// Two transactions of one version of an object lock it until the epoch ends: nothing is replaced.
    func replacement(
        of payment: UnsignedPayment,
        for order: PaymentOrder,
        cancelling: Bool
    ) async throws -> UnsignedPayment {
        throw Problem(422, "not_replaceable", "On Sui nothing takes another payment's place.")
    }

    /// The fewest of an owner's coins that no open payment uses and that are enough, the largest first.
    private func chosen(
        _ order: PaymentOrder,
        _ owner: SuiAddress,
        _ type: String,
        _ units: UInt64,
        _ asset: Asset
    ) async throws -> [SuiObjectReference] {
        let coins = try await asked { () async throws(NodeError) in try await first.coins(of: owner, type: type) }
        let free = coins.filter { !order.held.inputs.contains(Self.item($0.reference.id, $0.reference.version)) }
        var (chosen, sum): ([SuiObjectReference], Int128) = ([], 0)
        for coin in free.sorted(by: { $0.units > $1.units }).prefix(SuiPayment.coinsMax) {
            if sum >= Int128(units) { break }
            chosen.append(coin.reference)
            sum += Int128(coin.units)
        }
        guard sum >= Int128(units) else {
            let needed = Money(minorUnits: Int128(units), asset)
            let busy = free.count < coins.count ? " Some of its coins wait for another payment." : ""
            throw Problem(
                422,
                "insufficient_funds",
                "\(needed) is needed and \(Money(minorUnits: sum, asset)) is free in the wallet.\(busy)"
            )
        }
        return chosen
    }

    private static var outOfRange: Problem { Problem(422, "amount_out_of_range", "The amount is out of range.") }

    private func asked<Answer: Sendable>(
        _ question: () async throws(NodeError) -> Answer
    ) async throws(Problem) -> Answer {
        do throws(NodeError) {
            return try await question()
        } catch {
            throw ChainProblem.unavailable(error)
        }
    }
}
