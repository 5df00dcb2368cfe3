import HTTP
import Kernel
import Synchronization
import Testing

@Suite struct OperationsTests {
    private let demo = DemoAPI()

    @Test func `liveness leans on nothing, readiness on its checks`() async throws {
        let api = demo.make()
        #expect(await api.respond("GET", "/readyz").status == 200)
        demo.isReady.value.store(false, ordering: .relaxed)
        let response = await api.respond("GET", "/readyz")
        #expect(response.status == 503)
        #expect(response.headers["Retry-After"] == "1")
        #expect(try response.faults() == ["switch failed"])
        #expect(await api.respond("GET", "/livez").status == 200)
    }

    @Test func `the document describes every route`() async throws {
        let api = demo.make()
        let document = try await api.respond("GET", "/openapi.json").json()
        #expect(document["openapi"] == "3.1.0")
        for route in api.routes {
            let operation = document["paths"]?[route.path.description]?[route.method.rawValue.lowercased()]
            #expect(operation?["operationId"]?.stringValue == route.operationID)
            #expect(operation?["responses"]?["default"] != nil)
            #expect(operation?["responses"]?["405"]?["headers"]?["Allow"] != nil)
        }
    }

    @Test func `an operation says what it demands and what it answers`() async throws {
        let document = try await demo.make().respond("GET", "/openapi.json").json()
        let operation = try #require(document["paths"]?["/v1/payments"]?["post"])
        #expect(operation["security"] == [["bearer": []]])
        let parameter = try #require(operation["parameters"]?.elements?.first)
        #expect(parameter["name"] == "Idempotency-Key")
        #expect(parameter["required"] == true)
        guard case .object(let responses) = operation["responses"] else {
            Issue.record("no responses")
            return
        }
        let statuses = [
            "201", "400", "401", "403", "404", "405", "408", "409", "413", "415", "422", "429", "500", "503", "default",
        ]
        #expect(responses.map(\.name) == statuses)
        #expect(operation["responses"]?["422"]?["description"]?.stringValue?.contains("`insufficient_funds`") == true)
        let schema = try #require(document["components"]?["schemas"]?["NewPayment"])
        #expect(schema["additionalProperties"] == false)
        #expect(schema["required"] == ["payee", "amount", "asset"])
        #expect(schema["properties"]?["amount"]?["pattern"] != nil)
        let reference = operation["requestBody"]?["content"]?["application/json"]?["schema"]?["$ref"]
        #expect(reference == "#/components/schemas/NewPayment")
    }

    @Test func `every reference in the document leads somewhere`() async throws {
        let document = try await demo.make().respond("GET", "/openapi.json").json()
        guard case .object(let schemas)? = document["components"]?["schemas"] else {
            Issue.record("no schemas")
            return
        }
        let names = Set(schemas.map { "#/components/schemas/" + $0.name })
        var found: Set<String> = []
        OperationsTests.references(in: document, &found)
        #expect(found.contains("#/components/schemas/Problem"))
        #expect(found.subtracting(names).isEmpty)
    }

    private static func references(in value: JSON, _ found: inout Set<String>) {
        switch value {
        case .array(let elements): for element in elements { references(in: element, &found) }
        case .object(let members):
            for member in members {
                if member.name == "$ref", let text = member.value.stringValue { found.insert(text) }
                references(in: member.value, &found)
            }
        default: break
        }
    }

    @Test func `a current copy of the document is enough`() async throws {
        let api = demo.make()
        let tag = try #require(await api.respond("GET", "/openapi.json").headers["ETag"])
        let response = await api.respond("GET", "/openapi.json", headers: ["If-None-Match": "\"x\", \(tag)"])
        #expect(response.status == 304)
        #expect(response.encodedBody() == nil)
    }

    @Test func `the page carries the document and allows only its own script`() async throws {
        let response = await demo.make().respond("GET", "/docs")
        let page = String(decoding: response.encodedBody()?.bytes ?? [], as: UTF8.self)
        #expect(response.encodedBody()?.mediaType == "text/html; charset=utf-8")
        #expect(page.contains("createPayment"))
        #expect(page.contains("<title>Demo &lt;/script&gt;</title>"))
        #expect(page.components(separatedBy: "</script>") == 3)
        #expect(!page.contains("http://") && !page.contains("https://"))
        let policies = response.headers.all("Content-Security-Policy")
        #expect(policies.count == 1)
        #expect(policies.first?.contains("script-src 'sha256-") == true)
    }

    @Test func `measurements are served as text`() async {
        let api = demo.make()
        _ = await api.respond("GET", "/livez")
        let response = await api.respond("GET", "/metrics")
        #expect(response.encodedBody()?.mediaType == "text/plain; version=0.0.4; charset=utf-8")
        let text = String(decoding: response.encodedBody()?.bytes ?? [], as: UTF8.self)
        #expect(text.contains("route=\"/livez\""))
        for stranger in ["192.0.2.7", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.7"] {
            #expect(await api.respond("GET", "/metrics", remoteAddress: stranger).status == 404)
        }
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> Int { split(separator: separator).count }
}
