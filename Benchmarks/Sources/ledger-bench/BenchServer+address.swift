import BenchServers
import PostgreSQL

extension BenchServer {
    /// Where it listens, as it says itself.
    ///
    /// - Throws: `AddressUnknown` for a server on another machine.
    func address() async throws -> Sockets.Address {
        let rows = try await withLogin { connection in
            try await connection.query(
                """
                select host(inet_server_addr()) as host, current_setting('port')::integer as port,
                    current_setting('unix_socket_directories') as directories
                """
            )
        }
        let (host, port): (String?, Int) = (try rows[0]["host"], try rows[0]["port"])
        guard host == nil else {
            guard host == "127.0.0.1", let port = UInt16(exactly: port) else { throw AddressUnknown() }
            return .loopback(port: port)
        }
        let directories: String = try rows[0]["directories"]
        guard let first = directories.split(separator: ",").first else { throw AddressUnknown() }
        return .unix(path: "\(first.filter { $0 != " " })/.s.PGSQL.\(port)")
    }

    /// The server is neither on a unix socket nor on 127.0.0.1.
    struct AddressUnknown: Error {}
}
