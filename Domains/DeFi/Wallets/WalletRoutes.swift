import DomainKit
import HTTP
import Kernel
import PostgreSQL
import WalletCrypto

/// Wallets of a user: watched, renamed, revoked.
struct WalletRoutes: Sendable {
    let runtime: DomainRuntime
    let wallets: Wallets
    let links: WalletLinks

    var routes: [Route] { [list, add, addExtendedKey, get, rename, revoke, addresses] }

    static let tag = "Wallets"
    static let id = Parameter.path("id", .id(of: Wallet.self), "The wallet.")

    private var list: Route {
        Route(
            .get,
            "/v1/defi/wallets",
            operationID: "listWallets",
            summary: "List wallets",
            description: "Those that are proven come first. Revoked ones aren't listed.",
            tag: Self.tag,
            access: .permission("defi:read"),
            responses: [200: ResponseShape("The wallets.", Self.listSchema)]
        ) { request in
            let all = try await wallets.list(of: try request.requirePrincipal().user)
            return .ok(["data": .array(all.map { $0.json() })])
        }
    }

    private var add: Route {
        Route(
            .post,
            "/v1/defi/wallets",
            operationID: "addWallet",
            summary: "Have a wallet watched",
            description: "Anybody may watch any account. To act with it, prove that it is yours: ask for a challenge.",
            tag: Self.tag,
            access: .permission("defi:move"),
            body: .json(Self.body),
            responses: [201: Self.created],
            problems: [
                409: ["wallet_exists"],
                422: [
                    "unknown_network", "address_invalid", "type_not_possible", "too_many_wallets", "address_blocked",
                ],
            ]
        ) { request in
            let body = request.body
            let new = try NewWallet(
                account: body["account"]?.stringValue ?? "",
                kind: body["type"]?.stringValue.flatMap(Wallet.Kind.init) ?? .hot,
                label: body["label"]?.stringValue ?? ""
            )
            return try await answer(new, request)
        }
    }

    private var addExtendedKey: Route {
        Route(
            .post,
            "/v1/defi/wallets/extended-keys",
            operationID: "addExtendedKey",
            summary: "Have a whole account on Bitcoin watched",
            description:
                "By its extended public key (xpub, ypub, zpub, …). Private forms are refused, whatever they hold.",
            tag: Self.tag,
            access: .permission("defi:move"),
            body: .json(Self.extendedBody),
            responses: [201: Self.created],
            problems: [
                409: ["wallet_exists"], 422: ["extended_key_invalid", "too_many_wallets", "address_blocked"],
            ]
        ) { request in
            let body = request.body
            let new = try NewWallet(
                extendedKey: body["extended_key"]?.stringValue ?? "",
                script: body["script"]?.stringValue.flatMap(BitcoinScript.SingleKey.init),
                network: body["network"]?.stringValue.flatMap(ChainNetwork.Kind.init),
                gapLimit: body["gap_limit"]?.integerValue ?? WatchOnlyAccount.usualGapLimit,
                label: body["label"]?.stringValue ?? ""
            )
            return try await answer(new, request)
        }
    }

    private func answer(_ new: NewWallet, _ request: APIRequest) async throws -> APIResponse {
        let user = try request.requirePrincipal().user
        let wallet = try await links.add(new, for: user, by: try Initiator(request))
        return .created(wallet.json(), location: "/v1/defi/wallets/\(wallet.id.wire)").tagged(wallet.tag)
    }

    private var get: Route {
        Route(
            .get,
            "/v1/defi/wallets/{id}",
            operationID: "getWallet",
            summary: "Read a wallet with what came and went",
            tag: Self.tag,
            access: .permission("defi:read"),
            parameters: [Self.id],
            responses: [200: ResponseShape("The wallet.", Wallet.schema, headers: [.etag])]
        ) { request in
            let wallet = try await wallets.get(try request.id("id"), of: try request.requirePrincipal().user)
            let totals = try await WalletTotals.of(wallet.id, in: runtime.schema, runtime.pool)
            return .ok(wallet.json(totals)).tagged(wallet.tag)
        }
    }

    private var rename: Route {
        Route(
            .patch,
            "/v1/defi/wallets/{id}",
            operationID: "renameWallet",
            summary: "Give a wallet another label",
            tag: Self.tag,
            access: .permission("defi:move"),
            precondition: .required,
            parameters: [Self.id],
            body: .json(.object([.required("label", .text(1...80))], named: "WalletChange")),
            responses: [200: ResponseShape("The wallet.", Wallet.schema, headers: [.etag])],
            problems: [409: ["wallet_revoked"]]
        ) { request in
            let wallet = try await wallets.get(try request.id("id"), of: try request.requirePrincipal().user)
            try request.requireMatch(wallet.tag)
            let label = request.body["label"]?.stringValue ?? wallet.label
            let changed = try await links.rename(wallet, label, by: try Initiator(request))
            return .ok(changed.json()).tagged(changed.tag)
        }
    }

    private var revoke: Route {
        Route(
            .post,
            "/v1/defi/wallets/{id}/revoke",
            operationID: "revokeWallet",
            summary: "Revoke a wallet",
            description: "For good: it isn't watched any more, and nothing is paid out to it.",
            tag: Self.tag,
            access: .permission("defi:move"),
            precondition: .optional,
            parameters: [Self.id],
            responses: [200: ResponseShape("The revoked wallet.", Wallet.schema, headers: [.etag])],
            problems: [409: ["wallet_revoked"]]
        ) { request in
            let wallet = try await wallets.get(try request.id("id"), of: try request.requirePrincipal().user)
            try request.requireMatch(wallet.tag)
            let revoked = try await links.revoke(wallet, because: "revoked by its user", by: try Initiator(request))
            return .ok(revoked.json()).tagged(revoked.tag)
        }
    }

    private var addresses: Route {
        Route(
            .get,
            "/v1/defi/wallets/{id}/addresses",
            operationID: "listWalletAddresses",
            summary: "List the addresses of a whole account on Bitcoin",
            tag: Self.tag,
            access: .permission("defi:read"),
            parameters: [
                Self.id, .query("branch", .oneOf(["receiving", "change"]), "`receiving` unless given."),
                .query("from", .integer(0...0x7FFF_FF00), "The first index; 0 unless given."),
                .query("count", .integer(1...Self.addressesMax), "How many; 20 unless given."),
            ],
            responses: [200: ResponseShape("The addresses.", Self.addressesSchema)],
            problems: [422: ["wallet_has_one_address"]]
        ) { request in
            let wallet = try await wallets.get(try request.id("id"), of: try request.requirePrincipal().user)
            guard let account = try wallet.derivation?.watching(on: wallet.network) else {
                throw Problem(422, "wallet_has_one_address", "This wallet is one address, not a whole account.")
            }
            let branch = request.text("branch") == "change" ? WatchOnlyAccount.Branch.change : .receiving
            let (from, count) = (request.integer("from") ?? 0, request.integer("count") ?? 20)
            let list = try account.addresses(branch, from..<(from + count))
            let data = list.enumerated().map { place, address -> JSON in
                ["index": .integer(from + place), "address": .string(address.description)]
            }
            return .ok(["data": .array(data)])
        }
    }

    private static let addressesMax = 1_000

    private static let created = ResponseShape(
        "The wallet, watched.",
        Wallet.schema,
        headers: [.location, .etag],
        links: [.init(to: "getWallet", parameter: "id", from: "/id")]
    )

    private static let body = JSONSchema.object(
        [
            .required("account", .string(.account), "Its name across chains (CAIP-10)."),
            .optional("type", .oneOf(Wallet.Kind.self), "What signs for it; `hot` unless given."),
            .required("label", .text(1...80)),
        ],
        named: "NewWallet"
    )

    private static let extendedKey = Format.ascii(
        "extended_key",
        pattern: "^[1-9A-HJ-NP-Za-km-z]{100,120}$",
        length: 100...120,
        description: "An extended public key in Base 58 (BIP-32, SLIP-132)."
    ) { byte, _ in
        (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(byte)
            || ((UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) && !"IOl".utf8.contains(byte))
    }

    private static let extendedBody = JSONSchema.object(
        [
            .required("extended_key", .string(extendedKey)),
            .optional(
                "script",
                .oneOf(BitcoinScript.SingleKey.self),
                "Which addresses; what the key's version promises unless given."
            ),
            .optional("network", .oneOf(ChainNetwork.Kind.self), "What the key's version says unless given."),
            .optional(
                "gap_limit",
                .integer(WatchOnlyAccount.gapLimits),
                "Unused addresses in a row that end the search; \(WatchOnlyAccount.usualGapLimit) unless given."
            ),
            .required("label", .text(1...80)),
        ],
        named: "NewExtendedKey"
    )

    private static let listSchema = JSONSchema.object(
        [.required("data", .array(of: Wallet.schema, count: 0...Wallets.liveMax))],
        named: "WalletList"
    )

    private static let addressesSchema = JSONSchema.object(
        [
            .required(
                "data",
                .array(
                    of: .object([.required("index", .integer(0...Int(Int32.max))), .required("address", .anyString)]),
                    count: 0...addressesMax
                )
            )
        ],
        named: "WalletAddressList"
    )
}
