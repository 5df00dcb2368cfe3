/// The problems that movements of money have in common, for the documentation of their routes.
enum MovementProblems {
    static let all: [Int: [String]] = [
        403: ["user_not_active"],
        404: ["not_found"],
        409: ["conflict"],
        422: [
            "insufficient_funds", "limit_exceeded", "account_frozen", "account_closed",
            "account_not_verified", "payee_account_closed", "identification_required",
            "level_limit", "movement_refused", "no_fee_schedule", "asset_not_supported", "fees_exceed_amount",
            "idempotency_key_reused", "payee_is_payer", "not_a_source", "not_a_destination", "amount_below_minimum",
            "amount_above_maximum",
        ],
        503: ["checks_unavailable"],
    ]
}
