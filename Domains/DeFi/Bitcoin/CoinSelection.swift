/// Which coins pay for an amount, and what that costs: always the same for the same coins.
///
/// Coins that fit without change are preferred (a bounded search, the smallest surplus), else the largest first. Change
/// that isn't worth its own fees goes to the network's fee.
struct CoinSelection: Hashable, Sendable {
    /// An output of the wallet.
    struct Coin: Hashable, Sendable {
        let item: String
        /// Satoshi.
        let amount: Int64
    }

    /// What a transaction of n inputs weighs, and what it pays (BIP-141 weight units, satoshi).
    struct Terms: Hashable, Sendable {
        /// Satoshi for 1,000 virtual bytes.
        let rate: Int64
        /// Without inputs, with the outputs that are paid.
        let base: Int
        /// Of an input, signed.
        let input: Int
        /// Of an output of change.
        let change: Int
        /// Below that nodes refuse an output of change.
        let dust: Int64
        /// The fee must be so much at least: that of what is replaced.
        var replacedFee: Int64?

        /// The fee of a transaction.
        func fee(inputs: Int, hasChange: Bool) -> Int64 {
            let size = Int64((base + inputs * input + (hasChange ? change : 0) + 3) / 4)
            let fee = Self.fee(rate, size)
            // What relaying it once more costs comes on top (BIP-125, rule 4).
            return replacedFee.map { max(fee, $0 + size) } ?? fee
        }

        /// The least change that is worth spending again.
        var changeMin: Int64 { max(dust, Self.fee(rate, Int64((input + 3) / 4))) }

        private static func fee(_ rate: Int64, _ size: Int64) -> Int64 { (rate * size + 999) / 1_000 }
    }

    /// Inputs of one transaction at most.
    static let inputsMax = 100
    /// Steps of the search for coins that fit.
    static let stepsMax = 10_000

    let coins: [Coin]
    let fee: Int64
    /// Nil for none.
    let change: Int64?

    /// Coins that pay `amount`; nil when they aren't enough.
    ///
    /// `required` are among them in any case. The caller guarantees amounts of all coins that add up to less than 2^62.
    init?(_ amount: Int64, from coins: [Coin], required: [Coin] = [], _ terms: Terms) {
        let own = terms.fee(inputs: 1, hasChange: false) - terms.fee(inputs: 0, hasChange: false)
        // What costs more to spend than it is worth only makes it dearer.
        let usable = coins.filter { coin in coin.amount > own && !required.contains(coin) }
            .sorted { ($1.amount, $0.item) < ($0.amount, $1.item) }
        if let fit = Self.fitting(amount, usable, required, terms) {
            self = fit
            return
        }
        var chosen = required
        var rest = usable[...]
        while chosen.count <= Self.inputsMax {
            if let paid = CoinSelection(paying: amount, with: chosen, terms) {
                self = paid
                return
            }
            guard let next = rest.popFirst() else { return nil }
            chosen.append(next)
        }
        return nil
    }

    /// These coins for an amount; nil when they aren't enough.
    private init?(paying amount: Int64, with coins: [Coin], _ terms: Terms) {
        guard !coins.isEmpty else { return nil }
        let sum = coins.reduce(0) { $0 + $1.amount }
        let change = sum - amount - terms.fee(inputs: coins.count, hasChange: true)
        if change >= terms.changeMin {
            self.init(coins: coins, fee: sum - amount - change, change: change)
        } else if sum - amount >= terms.fee(inputs: coins.count, hasChange: false) {
            self.init(coins: coins, fee: sum - amount, change: nil)
        } else {
            return nil
        }
    }

    /// Coins that leave nothing but the fee; what becomes of the rest is the caller's affair.
    init(_ coins: [Coin], fee: Int64) { self.init(coins: coins, fee: fee, change: nil) }

    private init(coins: [Coin], fee: Int64, change: Int64?) {
        (self.coins, self.fee, self.change) = (coins, fee, change)
    }

    /// Of the coins that pay without change, those with the smallest surplus, as far as the search goes.
    private static func fitting(
        _ amount: Int64,
        _ usable: [Coin],
        _ required: [Coin],
        _ terms: Terms
    ) -> CoinSelection? {
        // What is left from a coin on.
        var left = [Int64](repeating: 0, count: usable.count + 1)
        for place in usable.indices.reversed() { left[place] = left[place + 1] + usable[place].amount }
        var best: CoinSelection?
        var steps = 0
        // Depth first without recursion: the coins taken, and the next one to decide about.
        var taken: [Int] = []
        var next = 0
        let base = required.reduce(0) { $0 + $1.amount }
        var sum = base
        while steps < stepsMax {
            steps += 1
            let count = required.count + taken.count
            let needed = amount + terms.fee(inputs: max(count, 1), hasChange: false)
            let isEnough = count > 0 && sum >= needed
            if isEnough {
                let coins = required + taken.map { usable[$0] }
                if let paid = CoinSelection(paying: amount, with: coins, terms), paid.change == nil,
                    best.map({ paid.surplus(terms) < $0.surplus(terms) }) ?? true
                {
                    best = paid
                }
            }
            if !isEnough, next < usable.count, count < inputsMax, sum + left[next] >= needed {
                taken.append(next)
                sum += usable[next].amount
                next += 1
                continue
            }
            guard let last = taken.popLast() else { break }
            sum -= usable[last].amount
            next = last + 1
        }
        return best
    }

    private func surplus(_ terms: Terms) -> Int64 { fee - terms.fee(inputs: coins.count, hasChange: false) }
}
