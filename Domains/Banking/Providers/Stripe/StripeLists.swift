import Kernel

/// What a look through a list of Stripe's brought.
enum StripeLookup: Sendable, Hashable {
    case found(JSON)
    /// It is certainly not in the list.
    case absent
    /// The list couldn't be read to its end.
    case failed(StripeReply)
}

/// Reads lists page by page.
struct StripeLists: Sendable {
    /// Objects of a page, the most that Stripe gives.
    static let pageSize = 100
    /// Pages of a list that are read; a list longer than that is as good as unreadable.
    static let pagesMax = 100

    let client: StripeClient

    /// The first object that fits.
    ///
    /// Stripe lists the newest first, other peers the oldest. Where the order is seen to be newest first, the look ends
    /// with the objects created before `notBefore`; else only with the list.
    func find(
        _ path: String,
        _ query: StripeForm = StripeForm(),
        notBefore: Timestamp? = nil,
        where fits: (JSON) -> Bool
    ) async -> StripeLookup {
        var found: JSON?
        let failure = await pages(path, query) { page in
            found = page.first(where: fits)
            if found != nil { return false }
            return !StripeLists.isPast(page, notBefore)
        }
        if let found { return .found(found) }
        return failure.map(StripeLookup.failed) ?? .absent
    }

    /// All objects in the list's order.
    func all(_ path: String, _ query: StripeForm = StripeForm()) async -> Result<[JSON], StripeLookupFailure> {
        var objects: [JSON] = []
        let failure = await pages(path, query) { page in
            objects += page
            return true
        }
        return failure.map { .failure(StripeLookupFailure(reply: $0)) } ?? .success(objects)
    }

    /// Hands out page after page until `goesOn` says no; nil when that was so or the list ended, else why it couldn't
    /// go on.
    private func pages(
        _ path: String,
        _ query: StripeForm,
        _ goesOn: ([JSON]) -> Bool
    ) async -> StripeReply? {
        var last: String?
        for _ in 0..<StripeLists.pagesMax {
            var form = query
            form.add("limit", String(StripeLists.pageSize))
            if let last { form.add("starting_after", last) }
            let reply = await client.get(path, form)
            guard case .object(let list) = reply else { return reply }
            guard let page = list["data"]?.elements, let hasMore = list["has_more"]?.boolValue else {
                return .unclear("a list without data and has_more")
            }
            guard goesOn(page), hasMore else { return nil }
            guard let id = page.last?["id"]?.stringValue else { return .unclear("a list's object without an id") }
            last = id
        }
        return .unclear("a list of more than \(StripeLists.pagesMax) pages")
    }

    /// Whether a page is seen to be in the order newest first and ends before an instant.
    private static func isPast(_ page: [JSON], _ notBefore: Timestamp?) -> Bool {
        let created = page.compactMap { $0["created"]?.integerValue }
        guard let notBefore, created.count == page.count, let newest = created.first, let oldest = created.last,
            newest > oldest, zip(created, created.dropFirst()).allSatisfy({ $0 >= $1 })
        else { return false }
        return Int64(oldest) < notBefore.seconds
    }
}

/// Why a list couldn't be read to its end.
struct StripeLookupFailure: Error, Hashable {
    let reply: StripeReply
}
