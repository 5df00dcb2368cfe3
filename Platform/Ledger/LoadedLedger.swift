public import Kernel
public import PostgreSQL

/// What tells an account's states apart: what changes without a transfer changes at another instant.
struct AccountVersion {
    let version: Int64
    let changedAt: Timestamp

    init(_ version: Int64, _ changedAt: Timestamp) { (self.version, self.changedAt) = (version, changedAt) }
}

/// Reservations that are due on some accounts.
struct DueReservations {
    let accounts: Set<ID<LedgerAccount>>
    let reservations: [ReservationState]
}

/// What the database held when the batch had its locks.
struct LoadedLedger {
    /// An answer kept under a key, and the request it was given to.
    struct Kept {
        let request: UInt128
        let answer: StoredAnswer
    }

    /// The batch's instant: the database's clock after all locks were had, never before an account's last change.
    private(set) var instant = Timestamp(microseconds: 0)
    private(set) var accounts: [AccountState] = []
    /// When each account was last changed, in the order of `accounts`.
    private(set) var changedAt: [Timestamp] = []
    private(set) var reservations: [ReservationState] = []
    private(set) var due: [ID<LedgerAccount>: [ID<Reservation>]] = [:]
    private(set) var usage: [UsageKey: Int128] = [:]
    private(set) var limits: [LimitKey: AccountLimits] = [:]
    private(set) var originals: [TransferLegs: Bool] = [:]
    private(set) var answers: [UInt128: Kept] = [:]

    mutating func read(accounts rows: Rows, now: Rows) throws {
        instant = try now[0]["now"]
        accounts.reserveCapacity(rows.count)
        changedAt.reserveCapacity(rows.count)
        for row in rows {
            accounts.append(
                AccountState(
                    id: try row[0],
                    asset: try row[1],
                    mayGoNegative: try row[2],
                    posted: try row[3],
                    reserved: try row[4],
                    version: try row[5],
                    frozenBecause: try row[6],
                    isClosed: try row[10],
                    owner: try row[8],
                    kind: try row[9]
                )
            )
            changedAt.append(try row[7])
            instant = max(instant, changedAt[changedAt.count - 1])
        }
    }

    /// Adds an account that wasn't read.
    mutating func add(_ account: SeenAccount) {
        accounts.append(account.state)
        changedAt.append(account.changedAt)
        instant = max(instant, account.changedAt)
    }

    /// What each account must still be like when a decision about it is stored.
    var versions: [ID<LedgerAccount>: AccountVersion] {
        Dictionary(
            uniqueKeysWithValues: zip(accounts, changedAt).map { ($0.id, AccountVersion($0.version, $1)) }
        )
    }

    mutating func read(reservations rows: Rows) throws { reservations = try rows.map(ReservationRow.read) }

    /// Adds reservations, some of which may have been read already.
    mutating func add(reservations rows: Rows) throws {
        let known = Set(reservations.map(\.id))
        reservations += try rows.map(ReservationRow.read).filter { !known.contains($0.id) }
    }

    mutating func read(usage rows: Rows) throws {
        for row in rows {
            let key = UsageKey(
                account: try row["account"],
                counter: try row["counter"],
                span: try row["span"],
                starts: try row["starts"]
            )
            usage[key] = try row["used"]
        }
    }

    mutating func read(limits rows: Rows) throws {
        for row in rows {
            let key = LimitKey(account: try row["account"], counter: try row["counter"])
            limits[key] = AccountLimits(
                perTransaction: try row["per_transaction"],
                perDay: try row["per_day"],
                perMonth: try row["per_month"]
            )
        }
    }

    mutating func read(originals rows: Rows) throws {
        for row in rows {
            let legs = TransferLegs(
                id: try row["id"],
                debit: try row["debit_account"],
                credit: try row["credit_account"],
                amount: try row["amount"]
            )
            originals[legs] = try row["reversed"]
        }
    }

    mutating func read(answers rows: Rows) throws {
        for row in rows {
            answers[try row["key"]] = Kept(request: try row["request"], answer: try StoredAnswer(row))
        }
    }

    func adding(_ found: DueReservations) -> LoadedLedger {
        var result = self
        let known = Set(reservations.map(\.id))
        result.reservations += found.reservations.filter { !known.contains($0.id) }
        for account in found.accounts { result.due[account] = [] }
        for reservation in found.reservations { result.due[reservation.account, default: []].append(reservation.id) }
        return result
    }
}

extension StoredAnswer {
    /// Reads columns `status`, `headers` and `answer`.
    public init(_ row: Row) throws {
        let (headers, body): (JSON, Bytes) = (try row["headers"], try row["answer"])
        self.init(status: try row["status"], headers: headers.textMembers, body: body.array)
    }

    /// What column `headers` holds.
    public var headersJSON: JSON { .texts(headers) }
}

extension JSON {
    /// The members of an object whose values are strings.
    var textMembers: [String: String] {
        guard case .object(let members) = self else { return [:] }
        return Dictionary(
            members.compactMap { member in member.value.stringValue.map { (member.name, $0) } },
            uniquingKeysWith: { $1 }
        )
    }

    /// An object of strings, in the order of their names.
    static func texts(_ texts: [String: String]) -> JSON {
        .object(texts.sorted { $0.key < $1.key }.map { Member($0.key, .string($0.value)) })
    }
}

extension UsageSpan: SQLEncodable, SQLDecodable {}
extension ReservationState.Phase: SQLEncodable, SQLDecodable {}

/// A reservation's row.
enum ReservationRow {
    /// What `read` reads, in that order, which is the table's; nothing may stand in front of it.
    static let columns: SQL = """
        id, account, operation, kind, amount, captured, state, expires_at, created_at, ended_at, reason, quote,
            settled_by
        """

    static func read(_ row: Row) throws -> ReservationState {
        var values = row.values
        return ReservationState(
            id: try values.next(),
            account: try values.next(),
            operation: try values.next(),
            kind: try values.next(),
            amount: try values.next(),
            captured: try values.next(),
            phase: try values.next(),
            expiresAt: try values.next(),
            createdAt: try values.next(),
            endedAt: try values.next(),
            reason: try values.next(),
            quote: try values.next(),
            settledBy: try values.next()
        )
    }
}
