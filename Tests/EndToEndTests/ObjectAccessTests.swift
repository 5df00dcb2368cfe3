import Foundation
import Kernel
import Testing

/// Nothing of a customer's is there for another one, whatever route is taken.
struct ObjectAccessTests {
    /// Parameters that name nothing of a customer's: markets, sections of one's own export, kinds of documents.
    private static let shared: APIWalk.Objects = [
        "symbol": "USDC-USDT", "section": "identity.user", "kind": "passport",
    ]
    /// Where an order isn't found any more once it has ended.
    private static let ended = "/v1/investing/orders/by-client-id/{client_order_id}"
    /// What doesn't answer a plain request.
    private static let sockets: Set<String> = ["/v1/stream"]

    @Test(.timeLimit(.minutes(5)))
    func `no route shows, changes or uses what belongs to another customer`() async throws {
        let home = try TemporaryFolder("objects")
        let server = try await RunningServer.start(home: home.path)
        let (owner, stranger) = (
            try await Customer.make("owner", on: server), try await Customer.make("other", on: server)
        )
        let walk = try await APIWalk(owner.client)
        let objects = try await Belongings.make(for: owner)
        var seen: Set<String> = []
        for operation in walk.operations where !operation.isPublic && !Self.sockets.contains(operation.path) {
            if operation.path.hasPrefix("/v1/operator/") {
                try await refuse(operation, objects, walk, stranger)
            } else if operation.hasObject {
                seen.formUnion(try await hide(operation, objects, walk, stranger))
            } else if operation.method == "GET" {
                try await show(operation, objects, stranger)
            } else if walk.namesObject(operation, objects) {
                let answer = try await send(operation, operation.path, objects, walk, stranger)
                #expect(answer.status == 404, "\(operation): \(answer.readable)")
            }
        }
        // Where no chain is followed, its routes aren't served.
        let hasChain = walk.operations.contains { $0.path.hasPrefix("/v1/defi/strategies") }
        let unserved: Set<String> = hasChain ? [] : ["int", "stg", "dep", "wdr"]
        #expect(Set(objects.keys).subtracting(seen) == unserved, "what was made but never asked for")
        try await find(objects, walk, owner)
        #expect(server.isAlive)
        await server.stop()
        home.remove()
    }

    /// What belongs to another one isn't there; answers with the kinds of objects that were asked for.
    private func hide(
        _ operation: APIWalk.Operation,
        _ objects: APIWalk.Objects,
        _ walk: APIWalk,
        _ stranger: Customer
    ) async throws -> Set<String> {
        if let target = walk.target(operation, ObjectAccessTests.shared) {
            #expect(operation.method == "GET" || operation.path.contains("{symbol}"), "\(operation) at \(target)")
            return []
        }
        let known = objects.merging(ObjectAccessTests.shared) { $1 }
        // A new route with an object of a new kind needs one here.
        let target = try #require(walk.target(operation, known), "nothing was made for \(operation)")
        let answer = try await send(operation, target, objects, walk, stranger)
        #expect(answer.status == 404, "\(operation): \(answer.readable)")
        #expect(answer.text("code") == "not_found", "\(operation): \(answer.readable)")
        return Set(objects.keys.filter { target.contains(objects[$0] ?? "-") })
    }

    /// Lists have nothing of another customer's.
    private func show(
        _ operation: APIWalk.Operation,
        _ objects: APIWalk.Objects,
        _ stranger: Customer
    ) async throws {
        let answer = try await stranger.get(operation.path)
        #expect(answer.status < 500, "\(operation): \(answer.readable)")
        let text = String(decoding: answer.body, as: UTF8.self)
        for (kind, id) in objects { #expect(!text.contains(id), "\(operation) shows \(kind)") }
    }

    /// What is for staff isn't for customers, whatever object it is about.
    private func refuse(
        _ operation: APIWalk.Operation,
        _ objects: APIWalk.Objects,
        _ walk: APIWalk,
        _ stranger: Customer
    ) async throws {
        var path = operation.path
        for name in operation.parameters.keys { path = path.replacing("{\(name)}", with: objects["bac"] ?? "") }
        let answer = try await send(operation, path, objects, walk, stranger)
        #expect(answer.status == 403 && answer.text("code") == "forbidden", "\(operation): \(answer.readable)")
    }

    /// The owner finds everything, so that the 404 of others says something.
    private func find(_ objects: APIWalk.Objects, _ walk: APIWalk, _ owner: Customer) async throws {
        for operation in walk.operations where operation.method == "GET" && operation.hasObject && !operation.isPublic {
            guard !operation.path.hasPrefix("/v1/operator/"), walk.target(operation, ObjectAccessTests.shared) == nil,
                let target = walk.target(operation, objects.merging(ObjectAccessTests.shared) { $1 })
            else { continue }
            let answer = try await owner.get(target)
            // What is found may yet not be told, as a made-up transaction has no block that explains it.
            let isThere = ![401, 403, 404].contains(answer.status)
            #expect(isThere || ObjectAccessTests.ended == operation.path, "\(operation): \(answer.readable)")
        }
    }

    private func send(
        _ operation: APIWalk.Operation,
        _ target: String,
        _ objects: APIWalk.Objects,
        _ walk: APIWalk,
        _ customer: Customer
    ) async throws -> Answer {
        try await customer.send(
            operation.method,
            target,
            body: walk.body(operation, objects),
            key: operation.needsKey ? UUID().uuidString : nil,
            headers: operation.needsVersion ? [("If-Match", "\"1\"")] : []
        )
    }
}
