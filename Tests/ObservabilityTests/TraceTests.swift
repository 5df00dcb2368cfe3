import HTTP
import Kernel
import Ledger
import Logging
import Messaging
import Observability
import OutboundHTTP
import PostgreSQL
import TestSupport
import Testing
import Traces
import Tracing

/// One request from its arrival to what another domain does about it.
struct TraceTests {
    private static let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private struct Nobody: Authenticator {
        func principal(bearer token: String, request: APIRequest) async throws -> Principal {
            throw Problem.unauthenticated
        }
    }

    private struct Asking: InboxHandler {
        let client: HTTPClient

        func handle(_ event: InboxEvent) async throws -> InboxDisposition {
            // Nobody listens there: a call that fails is a span, too.
            _ = try? await client.send(OutboundRequest(.get, "http://127.0.0.1:1/"))
            return .ignored("asked")
        }
    }

    /// An API with one route that has the ledger store an event.
    private static func api(_ ledger: Ledger, _ ids: IDGenerator, _ log: MemorySink) -> API {
        let logger = Logger(label: "test") { JSONLogHandler(label: $0, sink: log, metadataProvider: .trace) }
        let route = Route(
            .post,
            "/v1/things",
            operationID: "makeThing",
            summary: "Make a thing",
            tag: "Things",
            access: .public,
            responses: [204: ResponseShape("Made.")]
        ) { request in
            logger.info("made")
            let told = OutboxEvent(
                id: ids.next(),
                aggregateType: "thing",
                aggregate: ids.next(Operation.self),
                version: 1,
                type: "banking.thing.made",
                payload: [:],
                traceparent: request.trace?.description
            )
            let item = LedgerItem(operation: ids.next(), commands: []) { _, _ in LedgerItem.Finish(rows: [told]) }
            _ = try await ledger.submit(item)
            return .noContent
        }
        return API(
            [route],
            description: APIDescription(title: "Things", version: "1", text: "For tests."),
            services: API.Services(authenticator: Nobody(), logger: quiet)
        )
    }

    /// Serves one request and has what follows from it done, all within the running task's tracer.
    private static func play(_ database: TestDatabase, _ log: MemorySink) async throws {
        let ids = IDGenerator()
        let (source, target) = (database.pool(.banking), database.pool(.investing))
        let inbox = Inbox(pool: target, schema: .investing, ids: ids, logger: quiet)
        let ledger = Ledger(schema: .banking, pool: source)
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await ledger.run() }
            let answer = await api(ledger, ids, log).respond(
                "POST",
                "/v1/things",
                headers: ["traceparent": header]
            )
            #expect(answer.status == 204)
            group.cancelAll()
        }
        let relay = OutboxRelay(
            pool: source,
            schema: .banking,
            transports: [InProcessBus(from: .banking, to: [Subscription(inbox: inbox)])],
            signal: WorkSignal(.outbox, of: .banking),
            logger: quiet
        )
        #expect(try await relay.drain() == 1)
        var rules = HTTPClientConfiguration()
        (rules.allowPlainHTTP, rules.allowPrivateAddresses, rules.retry.attemptsMax) = (true, true, 1)
        let worker = InboxWorker(
            inbox: inbox,
            handlers: ["banking": Asking(client: HTTPClient(name: "test", configuration: rules, logger: quiet))],
            signal: WorkSignal(.inbox, of: .investing),
            logger: quiet
        )
        try await worker.drain()
    }

    @Test func `a request's spans form one trace, through ledger, outbox and inbox to a call`() async throws {
        try await TestDatabase.with { database in
            let (spans, log) = (MemorySpans(), MemorySink())
            try await Traces.recorded(by: TraceContextTracer(sink: spans)) {
                try await TraceTests.play(database, log)
            }
            let parent = try #require(TraceParent(TraceTests.header))
            let told = spans.all.filter { $0.place.traceID == parent.traceID }
            let named = Dictionary(told.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
            #expect(
                Set(named.keys) == [
                    "POST /v1/things", "ledger banking", "publish banking.thing.made", "inbox banking.thing.made.v1",
                    "GET http://127.0.0.1:1",
                ]
            )
            let request = try #require(named["POST /v1/things"])
            #expect(request.parent == parent && request.kind == .server)
            #expect(request.attributes.get("http.response.status_code") == .int64(204))
            for name in ["ledger banking", "publish banking.thing.made", "inbox banking.thing.made.v1"] {
                #expect(named[name]?.parent == request.place, "\(name)")
            }
            let call = named["GET http://127.0.0.1:1"]
            #expect(call?.parent == named["inbox banking.thing.made.v1"]?.place)
            #expect(call?.kind == .client && call?.failure != nil)
            #expect(log.lines.count == 1)
            #expect(log.lines.allSatisfy { $0.contains(#""trace_id":"\#(parent.traceID)""#) })
        }
    }

    @Test func `without a tracer the client's place is passed on as it came`() async throws {
        try await TestDatabase.with { database in
            try await TraceTests.play(database, MemorySink())
            let stored: String? = try await database.pool().query("select traceparent from banking.outbox_events")[0][0]
            #expect(stored == TraceTests.header)
        }
    }
}
