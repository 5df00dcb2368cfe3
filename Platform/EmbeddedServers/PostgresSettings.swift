/// What the server's configuration says, by what its data is worth.
struct PostgresSettings: Sendable {
    let durability: EmbeddedPostgres.Durability
    let socketDirectory: String
    /// The port on 127.0.0.1; nil when the server listens on its socket alone.
    let loopbackPort: Int?

    /// The text of `postgresql.conf`.
    var configuration: String {
        let settings = place + shared + (durability == .durable ? durable : volatile)
        return "# Written at each start. Change a setting with ALTER SYSTEM.\n"
            + settings.map { "\($0) = \(quoted($1))\n" }.joined()
    }

    /// The text of `pg_hba.conf`: who reaches the socket is trusted, for its directory admits one user and root;
    /// over TCP a password is asked.
    var authentication: String {
        let loopback = loopbackPort == nil ? "" : "host all all 127.0.0.1/32 scram-sha-256\n"
        return "# Written at each start.\nlocal all all trust\n" + loopback
    }

    private var place: [(String, String)] {
        [
            ("listen_addresses", loopbackPort == nil ? "" : "127.0.0.1"),
            ("port", String(loopbackPort ?? EmbeddedPostgres.socketPort)),
            ("unix_socket_directories", socketDirectory),
            ("unix_socket_permissions", "0700"),
            ("cluster_name", "diboas"),
        ]
    }

    private var shared: [(String, String)] {
        [
            ("max_connections", "200"),
            // Monthly partitions: a statement that touches all of a year's locks each with its indexes.
            ("max_locks_per_transaction", "256"),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
            ("lc_messages", "C"),
            ("log_line_prefix", "%m [%p] %q%u@%d "),
            // Solid-state disks: a random page costs little more than the next one.
            ("random_page_cost", "1.1"),
            ("effective_io_concurrency", "200"),
            // Statements are short; compiling them costs more than it saves.
            ("jit", "off"),
            // Hot tables (balances, outbox) get a vacuum every few thousand changed rows, not every fifth of the table.
            ("autovacuum_vacuum_scale_factor", "0.02"),
            ("autovacuum_vacuum_insert_scale_factor", "0.05"),
            ("autovacuum_analyze_scale_factor", "0.02"),
            ("autovacuum_naptime", "15s"),
        ]
    }

    /// Sized for two cores and a few GB of memory.
    private var durable: [(String, String)] {
        [
            ("fsync", "on"),
            ("synchronous_commit", "on"),
            ("full_page_writes", "on"),
            ("shared_buffers", "512MB"),
            ("effective_cache_size", "2GB"),
            ("maintenance_work_mem", "128MB"),
            ("work_mem", "8MB"),
            ("wal_buffers", "16MB"),
            ("wal_compression", "lz4"),
            ("max_wal_size", "4GB"),
            ("min_wal_size", "512MB"),
            ("checkpoint_timeout", "15min"),
            ("checkpoint_completion_target", "0.9"),
        ]
    }

    /// For data that is thrown away: nothing waits for a disk.
    private var volatile: [(String, String)] {
        [
            ("fsync", "off"),
            ("synchronous_commit", "off"),
            ("full_page_writes", "off"),
            ("wal_level", "minimal"),
            ("max_wal_senders", "0"),
            ("shared_buffers", "128MB"),
            ("max_wal_size", "1GB"),
            ("checkpoint_timeout", "30min"),
        ]
    }

    /// A value as `postgresql.conf` writes it: in quotes, those inside doubled, backslashes too.
    private func quoted(_ value: String) -> String {
        "'" + value.replacing("\\", with: "\\\\").replacing("'", with: "''") + "'"
    }
}
