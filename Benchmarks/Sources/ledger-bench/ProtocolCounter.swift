import BenchServers
import Foundation
import Glibc
import PostgreSQL
import Synchronization

/// A relay between clients and the server that counts how often a client asks for a synchronisation.
///
/// Each such message (`Sync`, or a simple `Query`) ends in `ReadyForQuery`, for which a client that needs the results
/// waits: PostgreSQL 15 manual, §55.2.3. Threads of its own do the blocking reads.
final class ProtocolCounter: Sendable {
    /// What a call of the system said.
    struct Failure: Error {
        let call: String
        let errno: Int32
    }

    /// How to reach the database by it.
    let url: String
    private let listener: Int32
    private let path: String
    private let count = Atomic(0)

    /// Synchronisations asked for since the start.
    var synchronisations: Int { count.load(ordering: .relaxed) }

    /// Listens on a socket in a directory and passes everything on to the server.
    static func start(server: BenchServer, directory: String) async throws -> ProtocolCounter {
        let target = try await server.address()
        let place = "\(directory)/counter-\(UInt32.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        let path = "\(place)/.s.PGSQL.5432"
        let listener = try Sockets.listen(path)
        let url = ConnectionString.with(server.url, [("host", place), ("port", "5432")])
        let counter = ProtocolCounter(url: url, listener: listener, path: path)
        Thread.detachNewThread { counter.accept(target) }
        return counter
    }

    private init(url: String, listener: Int32, path: String) {
        (self.url, self.listener, self.path) = (url, listener, path)
    }

    /// Takes no more clients; those that are there stay until they close.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        unlink(path)
    }

    private func accept(_ target: Sockets.Address) {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { break }
            guard let server = try? Sockets.connect(target) else {
                close(client)
                continue
            }
            let open = Open(client, server)
            Thread.detachNewThread {
                var messages = FrontendMessages()
                open.pump(from: client, to: server) { bytes in
                    self.count.add(messages.synchronisations(in: bytes), ordering: .relaxed)
                }
            }
            Thread.detachNewThread { open.pump(from: server, to: client) { _ in } }
        }
        close(listener)
    }

    /// A client's and a server's socket, closed when both directions have ended.
    private final class Open: Sendable {
        private let sockets: [Int32]
        private let directions = Atomic(2)

        init(_ client: Int32, _ server: Int32) { sockets = [client, server] }

        func pump(from: Int32, to: Int32, _ look: (ArraySlice<UInt8>) -> Void) {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(from, &buffer, buffer.count)
                guard count > 0 else { break }
                look(buffer[..<count])
                guard Sockets.sendAll(buffer[..<count], to: to) else { break }
            }
            for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) }
            if directions.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
                for socket in sockets { close(socket) }
            }
        }
    }
}

/// Finds the messages in what a client sends, wherever the pieces are cut.
struct FrontendMessages {
    private var header: [UInt8] = []
    private var toSkip = 0
    // The first message has no type (§55.7, StartupMessage).
    private var headerLength = 4

    /// How many messages in the next bytes ask for a synchronisation.
    mutating func synchronisations(in bytes: ArraySlice<UInt8>) -> Int {
        var (count, rest) = (0, bytes)
        while !rest.isEmpty {
            if toSkip > 0 {
                let step = min(toSkip, rest.count)
                (rest, toSkip) = (rest.dropFirst(step), toSkip - step)
                continue
            }
            header.append(rest.removeFirst())
            guard header.count == headerLength else { continue }
            // The length counts itself, four bytes, and not the type.
            toSkip = header.suffix(4).reduce(0) { $0 << 8 | Int($1) } - 4
            if headerLength == 5, header[0] == UInt8(ascii: "S") || header[0] == UInt8(ascii: "Q") { count += 1 }
            (header, headerLength) = ([], 5)
        }
        return count
    }
}
