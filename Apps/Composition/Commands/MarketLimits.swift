import ArgumentParser
import Kernel

/// What orders a market takes and when it halts by itself, as options.
struct MarketLimits: ParsableArguments {
    @Option(help: "The lowest price; a tick unless given.") var priceMin: String?
    @Option(help: "The highest price; a billion ticks unless given.") var priceMax: String?
    @Option(help: "The smallest quantity; a lot unless given.") var quantityMin: String?
    @Option(help: "The largest quantity; a billion lots unless given.") var quantityMax: String?
    @Option(help: "The smallest value of an order, in the quote asset.") var notionalMin: String?
    @Option(help: "The largest value of an order, in the quote asset.") var notionalMax: String?
    @Option(help: "Open orders that an account may have.") var openOrdersMax: String?
    @Option(help: "How far from the reference price orders may take, in basis points.") var band: String?
    @Option(help: "The same above it alone.") var bandUp: String?
    @Option(help: "The same below it alone.") var bandDown: String?
    @Option(help: "Basis points: a larger move halts the market; none for no circuit breaker.") var breakerMove: String?
    @Option(help: "Seconds within which that move counts.") var breakerWindow: Int?
    @Option(help: "Seconds until it reopens by itself; when it is resumed unless given.") var breakerHalt: Int?

    /// The members of a description that were given.
    func members() throws -> [JSON.Member] {
        let amounts = [
            ("price_min", priceMin), ("price_max", priceMax), ("quantity_min", quantityMin),
            ("quantity_max", quantityMax), ("notional_min", notionalMin), ("notional_max", notionalMax),
        ]
        let numbers = [
            ("open_orders_max", openOrdersMax), ("band_basis_points", band), ("band_up_basis_points", bandUp),
            ("band_down_basis_points", bandDown),
        ]
        var members = amounts.compactMap { name, text in
            text.map { JSON.Member(name, $0 == "none" ? .null : .string($0)) }
        }
        for (name, text) in numbers {
            guard let text else { continue }
            members.append(JSON.Member(name, try MarketLimits.number(text, name)))
        }
        guard let breakerMove else {
            guard breakerWindow == nil, breakerHalt == nil else {
                throw ValidationError("--breaker-window and --breaker-halt go with --breaker-move.")
            }
            return members
        }
        var breaker: JSON = .null
        if breakerMove != "none" {
            breaker = [
                "move_basis_points": try MarketLimits.number(breakerMove, "breaker_move"),
                "window_seconds": breakerWindow.map { .integer($0) } ?? .null,
                "halt_seconds": breakerHalt.map { .integer($0) } ?? .null,
            ]
        }
        return members + [JSON.Member("circuit_breaker", breaker)]
    }

    private static func number(_ text: String, _ name: String) throws -> JSON {
        if text == "none" { return .null }
        guard let number = Int(text) else { throw ValidationError("\(text) is no number for \(name).") }
        return .integer(number)
    }
}
