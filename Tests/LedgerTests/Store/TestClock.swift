import Kernel
import PostgreSQL

@testable import Ledger

/// Takes the place of the database's clock in statements of ours, for new connections: `clock_timestamp()` is looked up
/// along the search path, which names PostgreSQL's own catalog last here.
enum TestClock {
    /// Puts a clock in place that shows the time plus what `advance` added.
    static func install(_ ledger: TestLedger) async throws {
        _ = try await ledger.owner.withConnection { connection in
            try await connection.execute(
                script: """
                    create schema shifted;
                    create table shifted.shift (by interval not null);
                    insert into shifted.shift values ('0');
                    create function shifted.clock_timestamp() returns timestamptz language sql volatile
                        as 'select pg_catalog.clock_timestamp() + by from shifted.shift';
                    \(useScript)
                    """
            )
        }
    }

    /// Puts a clock in place that shows `first` once and `then` ever after.
    static func install(_ ledger: TestLedger, first: Timestamp, then: Timestamp) async throws {
        _ = try await ledger.owner.withConnection { connection in
            try await connection.execute(
                script: """
                    create schema shifted;
                    create sequence shifted.looks;
                    create function shifted.clock_timestamp() returns timestamptz language sql volatile
                        as 'select case when nextval(''shifted.looks'') = 1 then timestamptz ''\(first)''
                            else timestamptz ''\(then)'' end';
                    grant usage on sequence shifted.looks to public;
                    \(useScript)
                    """
            )
        }
    }

    static func advance(_ ledger: TestLedger, seconds: Int) async throws {
        _ = try await ledger.owner.query("update shifted.shift set by = by + make_interval(secs => \(Double(seconds)))")
    }

    private static let useScript = """
        grant usage on schema shifted to public;
        grant select on all tables in schema shifted to public;
        do 'begin execute format(''alter database %I set search_path = shifted, pg_catalog'', current_database()); end';
        """
}
