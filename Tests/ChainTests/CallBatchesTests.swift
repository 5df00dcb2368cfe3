import Kernel
import OutboundHTTP
import Synchronization
import Testing

@testable import DeFi

/// Calls that wait at the same time, in the same requests.
struct CallBatchesTests {
    /// A node that answers a call with its own parameter once it is let, and keeps what each request asked.
    private final class Node: Sendable {
        private struct State {
            var requests: [[String]] = []
            var isOpen = false
            var held: [CheckedContinuation<Void, Never>] = []
        }

        private let state = Mutex(State())

        var requests: [[String]] { state.withLock(\.requests) }

        var batches: CallBatches {
            CallBatches { calls throws(NodeError) in
                self.state.withLock { $0.requests.append(calls.map(\.method)) }
                await self.hold()
                guard !calls.contains(where: { $0.method == "lost" }) else {
                    throw .unreachable(.outcomeUnknown, why: "test")
                }
                return calls.map { call in
                    call.method == "refused"
                        ? .failure(.refused(code: 3, message: "test")) : .success(.string(call.method))
                }
            }
        }

        /// Lets all through, those that come later too.
        func open() {
            let held = state.withLock { state in
                state.isOpen = true
                return state.held
            }
            for continuation in held { continuation.resume() }
        }

        private func hold() async {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    if !state.isOpen { state.held.append(continuation) }
                    return state.isOpen
                }
                if isOpen { continuation.resume() }
            }
        }
    }

    /// Asks one after the other, each while all before it wait; what each got, in their order.
    private func ask(
        _ batches: CallBatches,
        _ lists: [[String]],
        of node: Node
    ) async -> [[CallBatches.Answer]] {
        await withTaskGroup(of: (place: Int, answers: [CallBatches.Answer]).self) { group in
            for (place, list) in lists.enumerated() {
                group.addTask { (place, await batches.answers(to: list.map { JSONRPC.Call($0) })) }
                while node.requests.count + batches.waiting <= place { await Task.yield() }
            }
            node.open()
            var all = lists.map { _ in [CallBatches.Answer]() }
            for await (place, answers) in group { all[place] = answers }
            return all
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `what is asked while requests are on their way goes with the next ones, in its order`() async {
        let (node, count) = (Node(), CallBatches.requestsMax + 2 * CallBatches.callsMax + 5)
        let lists = (0..<count).map { ["\($0)"] }
        let answers = await ask(node.batches, lists, of: node)
        #expect(answers == lists.map { $0.map { .success(.string($0)) } })
        // They may reach the node in another order than they were made in.
        let requests = node.requests.sorted { (Int($0[0]) ?? 0) < (Int($1[0]) ?? 0) }
        let alone = [Int](repeating: 1, count: CallBatches.requestsMax)
        #expect(requests.map(\.count) == alone + [CallBatches.callsMax, CallBatches.callsMax, 5])
        #expect(requests.flatMap(\.self) == lists.flatMap(\.self))
    }

    @Test(.timeLimit(.minutes(1)))
    func `calls of one who asks stay together, also where they fill more than a request`() async {
        let node = Node()
        let alone = (0..<CallBatches.requestsMax).map { ["a\($0)"] }
        let many = (0...CallBatches.callsMax).map { "m\($0)" }
        let most = (1..<CallBatches.callsMax).map { "b\($0)" }
        let lists = alone + [many, most, ["c", "d"], ["e"]]
        let answers = await ask(node.batches, lists, of: node)
        #expect(answers == lists.map { $0.map { .success(.string($0)) } })
        #expect(Set(node.requests) == Set(alone + [many, most, ["c", "d", "e"]]))
    }

    @Test(.timeLimit(.minutes(1)))
    func `a refusal is told to who asked, a lost request to all who were in it`() async {
        let node = Node()
        let batches = node.batches
        let alone = (0..<CallBatches.requestsMax).map { ["\($0)"] }
        let answers = await ask(batches, alone + [["refused", "a"], ["b"]], of: node)
        #expect(answers[alone.count] == [.failure(.refused(code: 3, message: "test")), .success("a")])
        #expect(answers[alone.count + 1] == [.success("b")])
        let lost = await batches.answers(to: [JSONRPC.Call("lost"), JSONRPC.Call("c")])
        let failure = CallBatches.Answer.failure(.unreachable(.outcomeUnknown, why: "test"))
        #expect(lost == [failure, failure])
        // What comes then goes its way.
        #expect(await batches.answers(to: [JSONRPC.Call("d")]) == [.success("d")])
        #expect(batches.waiting == 0)
    }

    @Test func `what many calls give is in their order, over several requests, and nothing is for what is refused`()
        async throws
    {
        try await DevChain.with { dev in
            try await dev.mine(2)
            let count = JSONRPC.requestsMax * JSONRPC.batchMax + 7
            let calls = (0..<count).map { place in
                place % 50 == 7
                    ? JSONRPC.Call("eth_unknown")
                    : JSONRPC.Call("eth_getBlockByNumber", EthereumText.quantity(UInt64(place % 3)), false)
            }
            let rpc = try dev.followed().nodes.first.rpc
            for peer in [rpc, rpc.gathering] {
                let results = try await peer.calls(calls)
                #expect(results.count == count)
                for (place, result) in results.enumerated() {
                    let number = result.flatMap { $0["number"]?.stringValue }
                    #expect(number == (place % 50 == 7 ? nil : "0x\(place % 3)"), "\(place)")
                }
            }
            // A node that is away is so for all of them.
            let nobody = JSONRPC(url: "http://127.0.0.1:1", http: rpc.http, deadlineSeconds: 5)
            await #expect(throws: NodeError.self) { _ = try await nobody.calls(calls) }
            await #expect(throws: NodeError.self) { _ = try await nobody.gathering.call("eth_chainId") }
        }
    }
}
