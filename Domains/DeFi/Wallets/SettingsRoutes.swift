import DomainKit
import HTTP
import Kernel

/// A user's settings in DeFi.
struct SettingsRoutes: Sendable {
    let runtime: DomainRuntime
    let journal: WalletJournal

    var routes: [Route] { [get, change] }

    private var get: Route {
        Route(
            .get,
            "/v1/defi/settings",
            operationID: "getDeFiSettings",
            summary: "Read the settings of DeFi",
            tag: WalletRoutes.tag,
            access: .permission("defi:read"),
            responses: [200: ResponseShape("The settings.", DeFiSettings.schema, headers: [.etag])]
        ) { request in
            let settings = try await DeFiSettings.of(try request.requirePrincipal().user, in: runtime)
            return .ok(settings.json).tagged(settings.tag)
        }
    }

    private var change: Route {
        Route(
            .patch,
            "/v1/defi/settings",
            operationID: "changeDeFiSettings",
            summary: "Change the settings of DeFi",
            tag: WalletRoutes.tag,
            access: .permission("defi:move"),
            precondition: .required,
            body: .json(
                .object(
                    [
                        .optional("risk_tolerance", .oneOf(DeFiSettings.Tolerance.self)),
                        .optional("auto_compound", .bool),
                    ],
                    named: "DeFiSettingsChange"
                )
            ),
            responses: [200: ResponseShape("The settings.", DeFiSettings.schema, headers: [.etag])]
        ) { request in
            let user = try request.requirePrincipal().user
            let settings = try await DeFiSettings.of(user, in: runtime)
            try request.requireMatch(settings.tag)
            let changed = try await settings.change(
                request.body["risk_tolerance"]?.stringValue.flatMap(DeFiSettings.Tolerance.init),
                compounds: request.body["auto_compound"]?.boolValue,
                of: user,
                in: runtime,
                journal,
                by: try Initiator(request)
            )
            return .ok(changed.json).tagged(changed.tag)
        }
    }
}
