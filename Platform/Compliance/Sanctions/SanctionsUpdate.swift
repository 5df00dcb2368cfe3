import PostgreSQL
import Screening

/// What a new version of a list changes, worked out before anything is stored.
struct SanctionsUpdate {
    /// An entry in force before it.
    struct Present {
        let key: String
        let formerKeys: [String]
        let digest: Bytes
        let identity: [String]
    }

    /// An entry to be stored.
    struct Change {
        let party: ListedParty
        let digest: Bytes
        let formerKeys: [String]
    }

    /// Entries that weren't there before, under any key.
    private(set) var added: [Change] = []
    /// Entries that say something else than before, or are called something else.
    private(set) var changed: [Change] = []
    /// Keys that aren't in it any more, of changed entries too.
    private(set) var closed: [String] = []
    /// How many entries are gone under every key.
    private(set) var vanished = 0

    init(from present: [Present], to parties: [ListedParty]) {
        var before: [String: Present] = [:]
        for entry in present { before[entry.key] = entry }
        let keys = Set(parties.map(\.key))
        // Whoever is gone under one key and new under another with the same name, birth and countries is the same.
        var gone: [[String]: Present] = [:]
        for entry in present where !keys.contains(entry.key) { gone[entry.identity] = entry }
        for party in parties {
            let digest = party.digest
            if let entry = before[party.key] {
                guard entry.digest != digest else { continue }
                changed.append(Change(party: party, digest: digest, formerKeys: entry.formerKeys))
                closed.append(party.key)
            } else if let entry = gone.removeValue(forKey: party.identity) {
                changed.append(Change(party: party, digest: digest, formerKeys: entry.formerKeys + [entry.key]))
                closed.append(entry.key)
            } else {
                added.append(Change(party: party, digest: digest, formerKeys: []))
            }
        }
        let recognised = Set(closed)
        let lost = present.filter { !keys.contains($0.key) && !recognised.contains($0.key) }.map(\.key)
        vanished = lost.count
        closed += lost
    }
}
