import Testing

@testable import DeFi

@Suite struct BlockReferenceTests {
    private let tip = BlockReference(number: 7, hash: [1])

    @Test func `only another block at its height makes a tip void, not a node that is behind`() {
        #expect(tip.stands(beside: [1], isLocal: false) && tip.stands(beside: [1], isLocal: true))
        #expect(!tip.stands(beside: [2], isLocal: false) && !tip.stands(beside: [2], isLocal: true))
        #expect(tip.stands(beside: nil, isLocal: false))
        #expect(!tip.stands(beside: nil, isLocal: true), "a chain on this machine may be shorter than it was")
    }
}
