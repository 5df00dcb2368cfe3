import HTTPTypes
import Kernel
import NIOCore
import Synchronization

/// An answer in the form that goes to the network.
struct WireResponse: Sendable {
    let head: HTTPResponse
    let body: ByteBuffer?

    init(_ response: APIResponse, isHead: Bool, closes: Bool, at now: Timestamp) {
        var fields = response.headers.fields
        fields.append(DateField.shared.field(at: now))
        let hasBody = response.status >= 200 && response.status != 204 && response.status != 304
        if let (bytes, mediaType) = response.encodedBody(), hasBody {
            fields.append(HTTPField(name: .contentType, value: mediaType))
            fields.append(HTTPField(name: .contentLength, value: String(bytes.count)))
            body = isHead ? nil : ByteBuffer(bytes: bytes)
        } else {
            if hasBody { fields.append(HTTPField(name: .contentLength, value: "0")) }
            body = nil
        }
        if closes { fields.append(HTTPField(name: .connection, value: "close")) }
        head = HTTPResponse(status: HTTPResponse.Status(code: response.status), headerFields: fields)
    }
}

/// The field `Date`, made once a second.
final class DateField: Sendable {
    static let shared = DateField()
    private let cached = Mutex<(second: Int64, field: HTTPField)?>(nil)

    func field(at now: Timestamp) -> HTTPField {
        cached.withLock { cached in
            if let cached, cached.second == now.seconds { return cached.field }
            let field = HTTPField(name: .date, value: DateField.text(now))
            cached = (now.seconds, field)
            return field
        }
    }

    /// IMF-fixdate (RFC 9110 §5.6.7): `Fri, 20 Nov 2026 08:30:00 GMT`.
    static func text(_ instant: Timestamp) -> String {
        let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let day = instant.day
        let (year, month, date) = day.civil
        let second = Int(instant.seconds - day.start.seconds)
        let clock = [second / 3600, second / 60 % 60, second % 60].map(twoDigits).joined(separator: ":")
        let weekday = weekdays[((day.daysSince1970 % 7) + 7) % 7]
        return "\(weekday), \(twoDigits(date)) \(months[month - 1]) \(year) \(clock) GMT"
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
