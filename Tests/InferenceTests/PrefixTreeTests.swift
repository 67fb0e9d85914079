import Testing

@testable import Inference

@Suite("Prefix tree")
struct PrefixTreeTests {
    /// A tree with the blocks its rows lie in.
    struct Bench {
        var tree = PrefixTree()
        var ledger = BlockLedger(count: 20)

        /// Records rows as a sequence would, and lets go of them.
        mutating func remember(_ keys: [UInt64], namespace: Int = 0) -> [Int32] {
            let table = (0..<(keys.count + 63) / 64).compactMap { _ in ledger.take() }
            var path: [Int] = []
            tree.record(
                keys,
                filled: keys.count,
                table: table,
                path: &path,
                namespace: namespace,
                ledger: &ledger
            )
            for node in path { tree.unpin(node) }
            for block in table { ledger.release(block) }
            return table
        }
    }

    private func keys(_ range: Range<UInt64>) -> [UInt64] { Array(range) }

    @Test("finds whole blocks to share, and the block to copy where the rows part")
    func match() {
        var bench = Bench()
        let table = bench.remember(keys(0..<150))
        let match = bench.tree.match(keys(0..<140) + [7], limit: 141, namespace: 0)
        #expect(match.rows == 140)
        #expect(match.nodes.map(bench.tree.block) == Array(table[0..<2]))
        #expect(match.partial.map(bench.tree.block) == table[2])
        #expect(bench.tree.match(keys(0..<150), limit: 64, namespace: 0).partial == nil)
        #expect(bench.tree.match(keys(0..<150), limit: 63, namespace: 0).rows == 63)
        #expect(bench.tree.match(keys(1..<150), limit: 149, namespace: 0).rows == 0)
    }

    @Test("keeps namespaces apart, and forgets one whole")
    func namespaces() {
        var bench = Bench()
        _ = bench.remember(keys(0..<100), namespace: 1)
        _ = bench.remember(keys(0..<80), namespace: 2)
        #expect(bench.tree.matchCount(keys(0..<100), limit: 100, namespace: 2) == 80)
        #expect(bench.tree.matchCount(keys(0..<100), limit: 100, namespace: 0) == 0)
        bench.tree.purge(namespace: 1, ledger: &bench.ledger)
        #expect(bench.tree.matchCount(keys(0..<100), limit: 100, namespace: 1) == 0)
        #expect(bench.tree.nodeCount == 2 && bench.ledger.freeCount == 18)
    }

    @Test("forgets what was used longest ago first, leaves before what they stand on")
    func eviction() {
        var bench = Bench()
        _ = bench.remember(keys(0..<100))
        _ = bench.remember(keys(1000..<1200))
        _ = bench.tree.match(keys(0..<100), limit: 100, namespace: 0)
        bench.tree.evict(2, ledger: &bench.ledger)
        #expect(bench.tree.matchCount(keys(0..<100), limit: 100, namespace: 0) == 100)
        #expect(bench.tree.matchCount(keys(1000..<1200), limit: 200, namespace: 0) == 128)
        bench.tree.evict(100, ledger: &bench.ledger)
        #expect(bench.tree.nodeCount == 0 && bench.ledger.freeCount == 20)
    }

    @Test("never forgets what a sequence uses")
    func pins() {
        var bench = Bench()
        _ = bench.remember(keys(0..<128))
        let match = bench.tree.match(keys(0..<128), limit: 64, namespace: 0)
        for node in match.nodes { bench.tree.pin(node) }
        bench.tree.evict(100, ledger: &bench.ledger)
        #expect(bench.tree.nodeCount == 1 && bench.tree.idleCount == 0)
        for node in match.nodes { bench.tree.unpin(node) }
        #expect(bench.tree.idleCount == 1)
    }

    @Test("takes no second block for rows it knows")
    func twins() {
        var bench = Bench()
        _ = bench.remember(keys(0..<64))
        _ = bench.remember(keys(0..<64) + [1, 2, 3])
        #expect(bench.tree.nodeCount == 2 && bench.ledger.freeCount == 18)
        #expect(bench.tree.matchCount(keys(0..<64) + [1, 2, 3], limit: 67, namespace: 0) == 67)
    }
}
