import Foundation
import Glibc
import Synchronization

/// A relay on 127.0.0.1 to a server on a unix socket that garbles what the server answers, until it is told not to.
///
/// A connection whose answers were garbled is closed once nothing comes any more: what was cut short never ends.
public final class GarblingRelay: Sendable {
    /// It couldn't be set up.
    public struct Failure: Error {}

    private struct State {
        var random: SplitMix
        var isGarbling = true
        var garbled = 0
    }

    /// SplitMix64 (Steele, Lea, Flood 2014): the same seed garbles in the same way.
    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    /// Milliseconds of silence after which a garbled connection is closed.
    private static let silenceMilliseconds: Int32 = 20

    /// Where it listens.
    public let port: Int
    private let descriptor: Int32
    private let path: String
    private let state: Mutex<State>

    /// A relay to the socket at `path`.
    public init(to path: String, seed: UInt64) throws {
        self.path = path
        state = Mutex(State(random: SplitMix(state: seed)))
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) + listen(listener, 64) + getsockname(listener, $0, &size)
            }
        }
        guard status == 0 else { throw Failure() }
        (port, descriptor) = (Int(UInt16(bigEndian: address.sin_port)), listener)
        Thread.detachNewThread { [weak self] in
            // Closed here and not by another thread, or its number might be a new socket's while it is used.
            defer { close(listener) }
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0, let self else { return }
                Thread.detachNewThread { self.relay(client) }
            }
        }
    }

    deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// How many answers were garbled.
    public var garbled: Int { state.withLock { $0.garbled } }

    /// From now on answers go through as they are.
    public func behave() { state.withLock { $0.isGarbling = false } }

    private func relay(_ client: Int32) {
        defer { close(client) }
        guard let server = connected() else { return }
        defer { close(server) }
        var (buffer, isGarbled) = ([UInt8](repeating: 0, count: 65_536), false)
        while true {
            var waits = [
                pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                pollfd(fd: server, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&waits, 2, isGarbled ? GarblingRelay.silenceMilliseconds : 1_000)
            if ready == 0, isGarbled { return }
            for (place, from, to) in [(0, client, server), (1, server, client)] where waits[place].revents != 0 {
                let count = recv(from, &buffer, buffer.count, 0)
                guard count > 0 else { return }
                let bytes = Array(buffer[..<count])
                let passed = place == 0 ? bytes : garble(bytes)
                if passed != bytes { isGarbled = true }
                guard passed.isEmpty || send(to, passed, passed.count, Int32(MSG_NOSIGNAL)) == passed.count else {
                    return
                }
            }
        }
    }

    private func connected() -> Int32? {
        let server = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8).prefix($0.count - 1)) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(server, $0, size) }
        }
        guard status == 0 else {
            close(server)
            return nil
        }
        return server
    }

    /// Two of three answers with bytes that are changed, gone or new; some of them nothing but noise.
    private func garble(_ bytes: [UInt8]) -> [UInt8] {
        state.withLock { state in
            guard state.isGarbling, Int.random(in: 0..<3, using: &state.random) > 0 else { return bytes }
            state.garbled += 1
            if Int.random(in: 0..<8, using: &state.random) == 0 {
                let count = Int.random(in: 1...300, using: &state.random)
                return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &state.random) }
            }
            var changed = bytes
            for _ in 0..<Int.random(in: 1...6, using: &state.random) where !changed.isEmpty {
                let place = Int.random(in: changed.indices, using: &state.random)
                switch Int.random(in: 0..<4, using: &state.random) {
                case 0: changed[place] = UInt8.random(in: .min ... .max, using: &state.random)
                case 1: changed[place] ^= 1 << UInt8.random(in: 0..<8, using: &state.random)
                case 2: changed.removeSubrange(place..<min(changed.count, place + 4))
                default: changed.insert(changed[Int.random(in: changed.indices, using: &state.random)], at: place)
                }
            }
            return changed
        }
    }
}
