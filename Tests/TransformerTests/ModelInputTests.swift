import Testing

@testable import Transformer

@Suite("Model input")
struct ModelInputTests {
    @Test("merges neighbouring tokens into one piece")
    func merging() {
        var input = ModelInput()
        input.append(tokens: [1, 2])
        input.append(tokens: [Int32]())
        input.append(tokens: [3])
        #expect(input.pieces.count == 1)
        #expect(input.count == 3)
    }

    @Test("hands out the parts of a range, with where they go")
    func parts() {
        var input = tokens([1, 2, 3])
        input.append(image: features(4), key: "x")
        input.append(tokens: [9])
        var seen: [[Int]] = []
        input.forEachPart(of: 2..<8) { _, part, row in
            seen.append([part.lowerBound, part.upperBound, row])
        }
        #expect(seen == [[2, 3, 0], [0, 4, 1], [0, 1, 5]])
    }

    @Test("counts the rows of an image before it is encoded, and puts its features in their place")
    func awaitedImage() {
        var input = tokens([1, 2])
        input.append(awaiting: 4, key: "x")
        input.append(awaiting: 2, key: "y")
        input.append(awaiting: 4, key: "x")
        #expect(input.count == 12)
        input.place(features(4), for: "x")
        let isPlaced = input.pieces.map { if case .image = $0 { true } else { false } }
        #expect(isPlaced == [false, true, false, true])
        #expect(input.count == 12)
    }

    @Test("places of a picture and of a clip, and of what stands after them")
    func places() {
        var input = tokens([1, 2])
        let picture = VisualGrid.picture(rows: 2, columns: 3)
        input.append(image: features(6, grid: picture), key: "x")
        input.append(tokens: [9])
        let clip = VisualGrid(frames: 3, rows: 1, columns: 2, frameInterval: 1.5, advance: 4)
        input.append(image: features(6, grid: clip), key: "y")
        input.append(tokens: [7, 8])
        var seen: [[Int]] = []
        input.forEachPosition(of: 0..<input.count) { seen.append([$0[0], $0[1], $0[2]]) }
        #expect(
            seen == [
                [0, 0, 0], [1, 1, 1],
                [2, 2, 2], [2, 2, 3], [2, 2, 4], [2, 3, 2], [2, 3, 3], [2, 3, 4],
                [5, 5, 5],
                [6, 6, 6], [6, 6, 7], [7, 6, 6], [7, 6, 7], [9, 6, 6], [9, 6, 7],
                [10, 10, 10], [11, 11, 11],
            ]
        )
        for start in 0..<input.count {
            var part: [[Int]] = []
            input.forEachPosition(of: start..<min(start + 4, input.count)) {
                part.append([$0[0], $0[1], $0[2]])
            }
            #expect(part == Array(seen[start..<min(start + 4, input.count)]))
        }
    }

    private func tokens(_ ids: [Int32]) -> ModelInput {
        var input = ModelInput()
        input.append(tokens: ids)
        return input
    }

    private func features(_ tokens: Int, grid: VisualGrid? = nil) -> ImageFeatures {
        ImageFeatures(
            tokens: tokens,
            hidden: 1,
            values: Array(repeating: 0, count: tokens),
            grid: grid
        )
    }
}
