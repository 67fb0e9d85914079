import Foundation
import TensorKernels
import Testing

@testable import Transformer

/// The towers of Qwen-VL and the places of their rows, where the goldens' few sizes do not reach.
@Suite("Towers of Qwen-VL")
struct QwenTowerTests {
    @Test(
        "windows cover every cell once, stay together, and lie line by line",
        arguments: [(1, 1, 4), (4, 4, 4), (5, 9, 4), (8, 8, 4), (3, 17, 4), (2, 2, 3), (7, 7, 1)]
    )
    func windows(rows: Int, columns: Int, side: Int) {
        let order = CellOrder(rows: rows, columns: columns, windowSide: side)
        #expect(order.cells.sorted() == Array(0..<rows * columns))
        #expect(order.windows.first?.lowerBound == 0)
        #expect(order.windows.last?.upperBound == 4 * rows * columns)
        #expect(
            zip(order.windows, order.windows.dropFirst()).allSatisfy {
                $0.upperBound == $1.lowerBound
            }
        )
        var windows: [[Int]] = []
        for window in order.windows {
            let places = Set(window.map { order.cells[$0 / 4] })
            let lines = Set(places.map { $0 / columns / side })
            let strips = Set(places.map { $0 % columns / side })
            #expect(lines.count == 1 && strips.count == 1 && window.count == 4 * places.count)
            windows.append([lines.first ?? 0, strips.first ?? 0])
        }
        #expect(windows == windows.sorted { $0.lexicographicallyPrecedes($1) })
        #expect(windows.count == (rows + side - 1) / side * ((columns + side - 1) / side))
    }

    @Test("the patches of a cell stand two by two")
    func patches() {
        let order = CellOrder(rows: 2, columns: 3)
        let found = (0..<8).map { order.patch(atRow: $0, columns: 3) }
        #expect(found.map(\.line) == [0, 0, 1, 1, 0, 0, 1, 1])
        #expect(found.map(\.column) == [0, 1, 0, 1, 2, 3, 2, 3])
        #expect(order.patch(atRow: 12, columns: 3) == (2, 0))
    }

    @Test("the position table is read on its points where grids agree, between them elsewhere")
    func positionTaps() {
        for index in 0..<16 {
            #expect(AlignedTap(index, of: 16, in: 16).weight == 0)
            #expect(AlignedTap(index, of: 16, in: 16).first == index)
        }
        #expect(AlignedTap(0, of: 7, in: 16) == AlignedTap(0, of: 3, in: 16))
        #expect(AlignedTap(6, of: 7, in: 16).first == 15)
        #expect(AlignedTap(0, of: 1, in: 16).first == 0)
        let middle = AlignedTap(1, of: 3, in: 16)
        #expect(middle.first == 7 && middle.weight == 0.5 && middle.second == 8)
    }

    @Test(
        "a picture has the same features whatever the threads, and beside a larger one before it",
        arguments: QwenGoldens.families
    )
    func reproducible(family: String) throws {
        let (tower, pool) = try Self.tower(family)
        let pixels = { (rows: Int, columns: Int) in
            let count = rows * columns * tower.config.patchValues
            return PicturePatches(
                rows: rows,
                columns: columns,
                pixels: (0..<count).map { Float(($0 * 7919) % 511) / 255 - 1 }
            )
        }
        func encode(_ picture: PicturePatches, after: PicturePatches?, _ pool: ComputeThreadPool)
            -> ImageFeatures
        {
            let activations = QwenVisionActivations(
                config: tower.config,
                hiddenSize: tower.hiddenSize
            )
            for picture in [after, picture].compactMap({ $0 }).dropLast() {
                _ = tower.encode(picture, activations: activations, pool: pool, interrupt: {})
            }
            return tower.encode(picture, activations: activations, pool: pool, interrupt: {})
        }
        // More rows than a chunk, windows that are cut off at both edges.
        let picture = pixels(26, 30)
        let alone = encode(picture, after: nil, pool)
        let three = ComputeThreadPool(threads: 3, name: "test")
        let again = encode(picture, after: pixels(40, 34), three)
        #expect(alone.tokens == 13 * 15)
        #expect(alone.values.map(\.bitPattern) == again.values.map(\.bitPattern))
        #expect(alone.deepstack == again.deepstack)
        #expect(alone.deepstack.count == tower.config.deepstackCount)
    }

    @Test("an interrupted picture stops before the next block", arguments: QwenGoldens.families)
    func interruption(family: String) throws {
        struct Stop: Error {}
        let (tower, pool) = try Self.tower(family)
        let activations = QwenVisionActivations(
            config: tower.config,
            hiddenSize: tower.hiddenSize
        )
        let picture = PicturePatches(
            rows: 2,
            columns: 2,
            pixels: [Float](repeating: 0, count: 4 * tower.config.patchValues)
        )
        var calls = 0
        #expect(throws: Stop.self) {
            try tower.encode(picture, activations: activations, pool: pool) {
                calls += 1
                if calls == 3 { throw Stop() }
            }
        }
        #expect(calls == 3)
    }

    @Test("memory is said before it is taken, and grows with picture and context")
    func memory() throws {
        for family in QwenGoldens.families {
            let directory = QwenGoldens.path(family, "hf-bf16")
            let config = try ModelConfig(directory: directory)
            let checkpoint = try Checkpoint(directory: directory)
            func memory(_ positions: Int, _ patches: Int) -> ModelMemory {
                ModelMemory(
                    config: config,
                    checkpoint: checkpoint,
                    positions: positions,
                    keyValueBytes: 1000,
                    rowCapacity: 16,
                    patchLimit: patches
                )
            }
            #expect(memory(100, 40).activations < memory(100, 80).activations)
            #expect(memory(100, 400) == memory(100, 4000), "no more than fill the context")
            #expect(memory(100, 40).weights == memory(200, 80).weights)
        }
    }

    private static func tower(_ family: String) throws -> (QwenVisionTower, ComputeThreadPool) {
        let pool = ComputeThreadPool(threads: 1, name: "test")
        let model = try VisionLanguageModel(
            directory: QwenGoldens.path(family, "hf-bf16"),
            positions: 16,
            pool: pool
        )
        guard case .qwen(let tower) = model.visual else {
            throw CheckpointError.malformedFile(file: family, reason: "expected a Qwen tower")
        }
        return (tower, pool)
    }
}
