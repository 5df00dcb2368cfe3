import Foundation

/// What this process takes.
enum Memory {
    /// Bytes that are in memory now, of `/proc/self/statm` (proc(5): the second number, in pages).
    static var residentBytes: Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let fields = text.split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
    }
}
