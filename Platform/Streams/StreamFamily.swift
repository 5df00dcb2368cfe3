public import HTTP
public import Kernel

/// The state of a channel as of a sequence number.
public struct StreamSnapshot: Hashable, Sendable {
    /// The last number that the state contains.
    public let sequence: Int64
    /// The state as JSON in UTF-8.
    public let payload: [UInt8]

    /// A state, which the caller guarantees to be JSON.
    public init(sequence: Int64, payload: [UInt8]) { (self.sequence, self.payload) = (sequence, payload) }
}

/// Channels of one kind, as a domain declares them.
public struct StreamFamily: Sendable {
    /// Gives the state of the channel with a key, as new as anything published or newer; nil where this process doesn't
    /// have it, so that the one that publishes is asked.
    ///
    /// It must answer or throw within some seconds.
    public typealias SnapshotProvider = @Sendable (_ key: String) async throws -> StreamSnapshot?

    /// What a subscriber gets first.
    public enum Opening: Sendable {
        /// Nothing: what is published from then on, as trades.
        case nothing
        /// The last publication, which says all there is to say, as a ticker's.
        case last
        /// The state; publications change it, and come with sequence numbers of the one who publishes.
        case snapshot(SnapshotProvider)
    }

    /// What is kept of a channel for those who resume.
    public struct Ring: Sendable {
        /// Publications.
        public var countMax: Int
        /// Bytes of all publications together.
        public var bytesMax: Int

        /// Bounds.
        public init(countMax: Int = 131_072, bytesMax: Int = 64 << 20) {
            precondition(countMax > 0 && bytesMax > 0, "a ring of nothing")
            (self.countMax, self.bytesMax) = (countMax, bytesMax)
        }

        /// For channels of which there are many: 1,024 publications, 1 MiB.
        public static let small = Ring(countMax: 1_024, bytesMax: 1 << 20)
    }

    enum Audience: Sendable {
        case everybody(exists: @Sendable (_ key: String) async throws -> Bool)
        case owner(Access, key: @Sendable (Principal) async throws -> String)
    }

    let name: String
    let audience: Audience
    let opening: Opening
    let ring: Ring
    /// A snapshot is given to later subscribers too while no more than this many publications follow it.
    var followersMax = 10_000

    /// Channels that anybody may subscribe to, by name and key: `depth:BTC-USD`; `exists` tells which keys there are.
    ///
    /// A snapshot is given again while no more than `followersMax` publications follow it: few where it is not the
    /// whole state, and not so few that a fetched one is too old when it comes.
    public static func open(
        _ name: String,
        opening: Opening,
        ring: Ring = Ring(),
        followersMax: Int = 10_000,
        exists: @escaping @Sendable (_ key: String) async throws -> Bool
    ) -> StreamFamily {
        StreamFamily(
            name: name,
            audience: .everybody(exists: exists),
            opening: opening,
            ring: ring,
            followersMax: followersMax
        )
    }

    /// One channel for each customer, who subscribes to it by the family's name alone: `orders`.
    ///
    /// `access` says who may subscribe (`.public` is as `.authenticated`), `key` which channel is the caller's: the
    /// user's id unless said otherwise.
    public static func personal(
        _ name: String,
        opening: Opening,
        access: Access = .authenticated,
        ring: Ring = .small,
        key: @escaping @Sendable (Principal) async throws -> String = { $0.user.wire }
    ) -> StreamFamily {
        StreamFamily(name: name, audience: .owner(access, key: key), opening: opening, ring: ring)
    }

    /// Publications of a channel that a relay keeps: fewer than the ring, and none where the last one says it all.
    var keptMax: Int {
        if case .last = opening { return 0 }
        return min(max(1, ring.countMax / 4), StreamFamily.keptCountMax)
    }

    private static let keptCountMax = 4_096

    /// How clients know a channel.
    func wireName(_ key: String) -> String {
        if case .owner = audience { return name }
        return StreamChannelID(name, key).description
    }
}
