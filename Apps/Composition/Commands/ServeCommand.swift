import ArgumentParser
import Identity
import Logging
import Metrics
import Observability
import ServiceLifecycle
import Settings
import UnixSignals

/// `diboas serve`: answers requests, and works in the background unless `DIBOAS_WORKER=off`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve the API, and work in the background unless DIBOAS_WORKER is off."
    )

    func run() async throws {
        let settings = try Console.settings(for: .serve)
        try await ServeCommand.serve(settings, logger: Console.logger(settings))
    }

    /// Serves until it is told to stop, and runs services besides.
    static func serve(
        _ settings: Settings,
        logger: Logger,
        and others: (Program) throws -> [any Service] = { _ in [] }
    ) async throws {
        MetricsSystem.bootstrap(PrometheusRegistry.shared)
        let traces = TraceExporter.start(settings.traces, logger: logger)
        let program = try await Program(settings, logger: logger)
        try await program.requireMigrations()
        try await program.identity.check(program.routes)
        let working = settings.runsWorker ? program.workingServices : []
        // What starts first ends last: the spans of the others' ends are sent, too.
        try await program.run([traces].compactMap { $0 } + program.servingServices + working + others(program))
    }
}

/// `diboas worker`: the background work alone.
struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Work in the background only: inboxes, outboxes, provider calls, clean-up."
    )

    func run() async throws {
        let settings = try Console.settings(for: .worker)
        MetricsSystem.bootstrap(PrometheusRegistry.shared)
        let logger = Console.logger(settings)
        let traces = TraceExporter.start(settings.traces, logger: logger)
        let program = try await Program(settings, logger: logger)
        try await program.requireMigrations()
        try await program.run([traces].compactMap { $0 } + program.sharedServices + program.workingServices)
    }
}

extension Program {
    /// Runs services until one ends, or the process is told to stop; then they end in the opposite order.
    func run(_ services: [any Service]) async throws {
        let group = ServiceGroup(
            configuration: .init(
                services: services,
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        try await group.run()
    }
}
