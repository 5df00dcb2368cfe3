import DomainKit
import HTTP
import Kernel

/// The address book of a user.
struct AddressBookRoutes: Sendable {
    let book: AddressBook

    var routes: [Route] { [list, add, get, remove] }

    private static let tag = "Address book"
    private static let id = Parameter.path("id", .id(of: AddressEntry.self), "The entry.")

    private var list: Route {
        Route(
            .get,
            "/v1/defi/address-book",
            operationID: "listAddresses",
            summary: "List the addresses that you pay to",
            tag: Self.tag,
            access: .permission("defi:read"),
            responses: [200: ResponseShape("The entries.", Self.listSchema)]
        ) { request in
            let entries = try await book.list(of: try request.requirePrincipal().user)
            return .ok(["data": .array(entries.map(\.json))])
        }
    }

    private var add: Route {
        Route(
            .post,
            "/v1/defi/address-book",
            operationID: "addAddress",
            summary: "Add an address to pay to",
            description: """
                Nothing is paid out to it for 24 hours. An address that looks like one of yours and is another is \
                refused, unless you say that you know.
                """,
            tag: Self.tag,
            access: .permission("defi:move"),
            body: .json(Self.body),
            responses: [
                201: ResponseShape(
                    "The entry, locked.",
                    AddressEntry.schema,
                    headers: [.location],
                    links: [.init(to: "getAddress", parameter: "id", from: "/id")]
                )
            ],
            problems: [
                409: ["address_exists"],
                422: [
                    "unknown_network", "address_invalid", "address_blocked", "address_look_alike", "too_many_addresses",
                ],
            ]
        ) { request in
            let body = request.body
            let (account, network) = try NewWallet.account(body["account"]?.stringValue ?? "")
            let entry = try await book.add(
                account,
                on: network,
                label: body["label"]?.stringValue ?? "",
                isDistinct: body["is_distinct"]?.boolValue ?? false,
                for: try request.requirePrincipal().user,
                by: try Initiator(request)
            )
            return .created(entry.json, location: "/v1/defi/address-book/\(entry.id.wire)")
        }
    }

    private var get: Route {
        Route(
            .get,
            "/v1/defi/address-book/{id}",
            operationID: "getAddress",
            summary: "Read an entry",
            tag: Self.tag,
            access: .permission("defi:read"),
            parameters: [Self.id],
            responses: [200: ResponseShape("The entry.", AddressEntry.schema)]
        ) { request in
            .ok(try await book.get(try request.id("id"), of: try request.requirePrincipal().user).json)
        }
    }

    private var remove: Route {
        Route(
            .delete,
            "/v1/defi/address-book/{id}",
            operationID: "removeAddress",
            summary: "Remove an address",
            description: "Added again, it is locked anew.",
            tag: Self.tag,
            access: .permission("defi:move"),
            parameters: [Self.id],
            responses: [204: ResponseShape("It is removed.")]
        ) { request in
            let entry = try await book.get(try request.id("id"), of: try request.requirePrincipal().user)
            try await book.remove(entry, by: try Initiator(request))
            return .noContent
        }
    }

    private static let body = JSONSchema.object(
        [
            .required("account", .string(.account), "The address with its chain (CAIP-10)."),
            .required("label", .text(1...80)),
            .optional(
                "is_distinct",
                .bool,
                "Whether you know that it looks like another address; `false` unless given."
            ),
        ],
        named: "NewAddress"
    )

    private static let listSchema = JSONSchema.object(
        [.required("data", .array(of: AddressEntry.schema, count: 0...AddressBook.entriesMax))],
        named: "AddressList"
    )
}
