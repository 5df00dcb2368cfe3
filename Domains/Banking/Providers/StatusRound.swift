import Kernel
import Logging
import Metrics

/// Asks a provider after one transaction at a time: where one can't be read, the others are all the same.
struct StatusRound: Sendable {
    /// Failures one after the other that end a round: the provider is away then.
    static let failuresMax = 20

    /// Something that happened, in the form of a webhook, and when.
    typealias Told = (at: Timestamp, body: JSON)

    let provider: String
    let logger: Logger

    /// Asks after things one by one.
    ///
    /// - Parameters:
    ///   - things: what is asked after, in this order.
    ///   - transaction: the transaction of one, for operators.
    ///   - read: asks after one.
    /// - Returns: what is told of them, in their order.
    /// - Throws: the last error where nothing could be read of anything.
    func ask<Thing>(
        after things: [Thing],
        transaction: (Thing) -> ID<BankTransaction>,
        _ read: (Thing) async throws -> [Told]
    ) async throws -> [Told] {
        var (told, answers, failures): ([Told], Int, Int) = ([], 0, 0)
        var last: (any Error)?
        for thing in things {
            do {
                told += try await read(thing)
                (answers, failures) = (answers + 1, 0)
            } catch {
                (failures, last) = (failures + 1, error)
                note(error, transaction(thing))
                if failures == StatusRound.failuresMax { break }
            }
        }
        if let last, answers == 0 { throw last }
        return told
    }

    private func note(_ error: any Error, _ transaction: ID<BankTransaction>) {
        Counter(label: "banking_status_reads_failed_total", dimensions: [("provider", provider)]).increment()
        logger.warning(
            "what became of a transaction could not be read at its provider",
            metadata: ["provider": "\(provider)", "transaction": "\(transaction.wire)", "error": "\(error)"]
        )
    }
}
