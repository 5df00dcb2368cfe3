import Fees
import Kernel
import Testing

@Suite struct FeeCatalogTests {
    private func schedule(_ number: UInt128, from: Int64, to: Int64?, asset: Asset = .usd) throws -> FeeSchedule {
        try FeeSchedule(
            id: ID(number),
            version: Int(number),
            operation: "banking.test",
            asset: asset,
            effectiveFrom: Timestamp(seconds: from),
            effectiveTo: to.map { Timestamp(seconds: $0) },
            rules: []
        )
    }

    @Test func `the version in force at the instant is found`() throws {
        let catalog = try FeeCatalog([
            schedule(2, from: 200, to: nil), schedule(1, from: 100, to: 200),
            schedule(3, from: 0, to: nil, asset: .eur),
        ])
        func version(_ seconds: Int64, _ asset: Asset = .usd) throws -> Int {
            try catalog.schedule(operation: "banking.test", asset: asset, at: Timestamp(seconds: seconds)).version
        }
        #expect(try [version(100), version(199), version(200), version(10_000)] == [1, 1, 2, 2])
        #expect(try version(0, .eur) == 3)
        #expect(catalog.schedule(ID(1))?.version == 1)
        #expect(catalog.schedule(ID(9)) == nil)
        let early = Timestamp(seconds: 99)
        #expect(throws: FeeError.noSchedule(operation: "banking.test", asset: .usd, at: early)) {
            try catalog.schedule(operation: "banking.test", asset: .usd, at: early)
        }
    }

    @Test(arguments: [(nil, 200), (201, 200)] as [(Int64?, Int64)])
    func `versions that overlap are refused`(end: Int64?, start: Int64) {
        #expect(throws: FeeScheduleError.overlap(ID(1), ID(2))) {
            try FeeCatalog([schedule(1, from: 100, to: end), schedule(2, from: start, to: nil)])
        }
    }
}
