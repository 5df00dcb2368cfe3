import EmbeddedServers
import Logging
import Testing

@Test func smoke() async throws {
    let clock = ContinuousClock()
    let logger = Logger(label: "t")
    let a = clock.now
    let pg = try await EmbeddedPostgres.startTemporary(logger: logger)
    print("pg", clock.now - a)
    let redis = try await EmbeddedRedis.startTemporary(logger: logger)
    print("redis", clock.now - a, pg.url(database: "x"), redis.url)
    try await pg.createDatabase("diboas")
    try await pg.createDatabase("diboas")
    print(clock.now - a)
    await redis.stop()
    await pg.stop()
    print(clock.now - a)
}
