import Kernel
import TestSupport
import Testing

/// A stream that was opened with a token, once that token's session has ended.
struct StreamSessionTests {
    @Test(.timeLimit(.minutes(2)))
    func `a stream ends with its session, however it was authenticated`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("wes", on: server)
        let token = customer.token
        let opened = try await WebSocketClient.connect(
            port: server.port,
            headers: "Authorization: Bearer \(token)\r\n"
        )
        let authenticated = try await WebSocketClient.connect(port: server.port)
        authenticated.send(#"{"op":"authenticate","token":"\#(token)"}"#)
        for client in [opened, authenticated] { client.send(#"{"op":"subscribe","channels":["orders"]}"#) }

        #expect(try await customer.send("POST", "/v1/auth/logout", body: nil).status == 204)
        for client in [opened, authenticated] {
            let last = await client.events.reduce(nil) { _, event -> WebSocketClient.Event? in event }
            #expect(last == .close(1008, "session_ended"))
        }
    }
}
