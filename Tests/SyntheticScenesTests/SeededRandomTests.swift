import Testing

@testable import SyntheticScenes

@Suite("Seeded random numbers")
struct SeededRandomTests {
    @Test("the first numbers of a seed are those of xoshiro256** filled by splitmix64")
    func pinned() {
        var random = SeededRandom(seed: 1)
        let found = (0..<3).map { _ in random.next() }
        #expect(
            found == [
                12_966_619_160_104_079_557, 9_600_361_134_598_540_522,
                10_590_380_919_521_690_900,
            ]
        )
    }

    @Test("every number below the bound is as common as any other", arguments: [2, 3, 6, 7])
    func even(bound: Int) {
        var random = SeededRandom(seed: 7)
        var counts = [Int](repeating: 0, count: bound)
        for _ in 0..<60_000 { counts[random.below(bound)] += 1 }
        let expected = 60_000 / bound
        for count in counts { #expect(abs(count - expected) < expected / 20) }
    }

    @Test("each part of a path and their number change the numbers")
    func paths() {
        var seen: Set<UInt64> = []
        for path: [UInt64] in [[], [0], [0, 0], [1], [1, 0], [0, 1], [1, 2, 3], [3, 2, 1]] {
            var random = SeededRandom(path: path)
            #expect(seen.insert(random.next()).inserted, "\(path)")
        }
    }

    @Test("a shuffled list has the same elements in many orders")
    func shuffles() {
        var random = SeededRandom(seed: 3)
        var orders: Set<[Int]> = []
        for _ in 0..<500 {
            let order = random.shuffled([1, 2, 3, 4])
            #expect(order.sorted() == [1, 2, 3, 4])
            orders.insert(order)
        }
        #expect(orders.count == 24)
    }
}
