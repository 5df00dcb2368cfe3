import Crypto

/// The documentation for people: one HTML page that needs nothing but itself.
enum DocsPage {
    /// The page with the document in it.
    static func html(document: [UInt8], _ description: APIDescription) -> [UInt8] {
        // Inside a script element only `</` could end it; JSON may write `<` as an escape.
        let data = String(decoding: document, as: UTF8.self).replacing("<", with: "\\u003c")
        let page = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(escaped(description.title))</title>
            <style>\(style)</style>
            </head>
            <body>
            <nav id="nav" aria-label="Operations"></nav>
            <main id="main"><noscript>This page needs JavaScript; the document is at /openapi.json.</noscript></main>
            <script type="application/json" id="document">\(data)</script>
            <script>\(script)</script>
            </body>
            </html>

            """
        return Array(page.utf8)
    }

    /// Only this page's own script and style may run, and nothing may be loaded.
    static let contentSecurityPolicy =
        "default-src 'none'; script-src '\(hash(script))'; style-src '\(hash(style))'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'"

    private static func hash(_ text: String) -> String {
        "sha256-" + base64(Array(SHA256.hash(data: Array(text.utf8))))
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let text = Base64URL.encode(bytes).replacing("-", with: "+").replacing("_", with: "/")
        return text + String(repeating: "=", count: (4 - text.count % 4) % 4)
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
