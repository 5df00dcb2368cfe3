/// The PostgreSQL types that values have, by object id (`pg_type.dat`).
public enum SQLType: UInt32, Sendable {
    /// `boolean`
    case boolean = 16
    /// `bytea`
    case bytea = 17
    /// `bigint`
    case bigint = 20
    /// `text`
    case text = 25
    /// `double precision`
    case double = 701
    /// `date`
    case date = 1082
    /// `timestamptz`
    case timestamptz = 1184
    /// `numeric`
    case numeric = 1700
    /// `uuid`
    case uuid = 2950
    /// `jsonb`
    case jsonb = 3802
    /// `boolean[]`
    case booleans = 1000
    /// `bytea[]`
    case byteas = 1001
    /// `bigint[]`
    case bigints = 1016
    /// `text[]`
    case texts = 1009
    /// `double precision[]`
    case doubles = 1022
    /// `date[]`
    case dates = 1182
    /// `timestamptz[]`
    case timestamptzs = 1185
    /// `numeric[]`
    case numerics = 1231
    /// `uuid[]`
    case uuids = 2951
    /// `jsonb[]`
    case jsonbs = 3807

    var array: SQLType {
        switch self {
        case .boolean: .booleans
        case .bytea: .byteas
        case .bigint: .bigints
        case .text: .texts
        case .double: .doubles
        case .date: .dates
        case .timestamptz: .timestamptzs
        case .numeric: .numerics
        case .uuid: .uuids
        case .jsonb: .jsonbs
        default: preconditionFailure("an array of arrays")
        }
    }
}
