import Kernel
import PostgreSQL
import Screening

/// Entries as rows of `sanctions_entries`, `sanctions_names` and `sanctions_addresses`.
struct SanctionsRows {
    let ids: [ID<SanctionsEntry>]
    private let changes: [SanctionsUpdate.Change]

    init(_ changes: ArraySlice<SanctionsUpdate.Change>, ids: [ID<SanctionsEntry>]) {
        (self.changes, self.ids) = (Array(changes), ids)
    }

    /// The statements that store them in a version.
    func statements(_ source: SanctionsSource, _ version: Int) -> [SQL] {
        [entries(source, version), names, addresses]
    }

    // Arrays of arrays don't unnest to arrays: lists travel as one text each.
    private func entries(_ source: SanctionsSource, _ version: Int) -> SQL {
        """
        insert into platform.sanctions_entries (id, source, key, former_keys, kind, digest, body, births, countries,
            first_version)
        select e.id, \(source), e.key, string_to_array(e.former, E'\\n'), e.kind, e.digest, e.body,
            string_to_array(e.births, E'\\n'), string_to_array(e.countries, E'\\n'), \(version)
        from unnest(\(ids), \(changes.map(\.party.key)), \(changes.map { $0.formerKeys.joined(separator: "\n") }),
            \(changes.map(\.party.kind.rawValue)), \(changes.map(\.digest)), \(changes.map(\.party.body)),
            \(changes.map { $0.party.births.map(\.description).joined(separator: "\n") }),
            \(changes.map { $0.party.countries.joined(separator: "\n") }))
            as e(id, key, former, kind, digest, body, births, countries)
        """
    }

    private var names: SQL {
        var entries: [ID<SanctionsEntry>] = []
        var (positions, isWeak): ([Int], [Bool]) = ([], [])
        var (texts, kinds, sounds, keys): ([String], [String], [String], [String]) = ([], [], [], [])
        for (id, change) in zip(ids, changes) {
            for (position, name) in change.party.names.enumerated() {
                let screened = ScreenedName(name.text, kind: change.party.kind)
                if screened.isEmpty { continue }
                entries.append(id)
                positions.append(position)
                isWeak.append(name.isWeak)
                texts.append(name.text)
                kinds.append(change.party.kind.rawValue)
                sounds.append(screened.sounds)
                keys.append(screened.keys.joined(separator: "\n"))
            }
        }
        return """
            insert into platform.sanctions_names (entry, position, name, is_weak, kind, sounds, keys)
            select n.entry, n.position, n.name, n.is_weak, n.kind, n.sounds, string_to_array(n.keys, E'\\n')
            from unnest(\(entries), \(positions), \(texts), \(isWeak), \(kinds), \(sounds), \(keys))
                as n(entry, position, name, is_weak, kind, sounds, keys)
            """
    }

    private var addresses: SQL {
        var entries: [ID<SanctionsEntry>] = []
        var (chains, texts): ([String], [String]) = ([], [])
        for (id, change) in zip(ids, changes) {
            for address in Set(change.party.addresses) {
                entries.append(id)
                chains.append(address.chain)
                texts.append(address.text)
            }
        }
        return """
            insert into platform.sanctions_addresses (address, entry, chain)
            select a.address, a.entry, a.chain from unnest(\(texts), \(entries), \(chains)) as a(address, entry, chain)
            on conflict do nothing
            """
    }
}
