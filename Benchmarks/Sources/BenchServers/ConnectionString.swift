/// A libpq connection string or URL with settings put over those that it has.
public enum ConnectionString {
    /// The same with other settings; of two values for one setting, libpq takes the later.
    ///
    /// The caller guarantees values of letters, digits, `/`, `.`, `-` and `_`.
    public static func with(_ url: String, _ settings: [(name: String, value: String)]) -> String {
        let isURL = url.hasPrefix("postgresql://") || url.hasPrefix("postgres://")
        guard isURL else { return ([url] + settings.map { "\($0.name)=\($0.value)" }).joined(separator: " ") }
        let parameters = settings.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        return url + (url.contains("?") ? "&" : "?") + parameters
    }
}
