import FoundationEssentials
import Testing

@testable import VisionPreprocessing

@Suite("The anyres grid follows the reference")
struct AnyresGridTests {
    @Test("646 sizes choose the canvas and the resized size the reference's formulas give")
    func matchesReference() throws {
        let data = try Data(
            contentsOf: URL(filePath: PreprocessGoldens.path("preprocess/grid.json"))
        )
        let rows = try JSONDecoder().decode([[Int]].self, from: data)
        #expect(rows.count == 646)
        for row in rows {
            let pinpoints = (1...6).flatMap { i in (1...6).map { (i * row[0], $0 * row[0]) } }
            let grid = AnyresGrid(width: row[2], height: row[1], pinpoints: pinpoints)
            let found = [
                grid.canvasHeight, grid.canvasWidth, grid.resizedHeight, grid.resizedWidth,
            ]
            #expect(found == Array(row[3...]), "\(row[2]) × \(row[1]), tiles of \(row[0])")
        }
    }

    @Test("a picture is never resized beyond its canvas, nor to nothing")
    func staysInside() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix(state: seed)
        let pinpoints = (1...6).flatMap { i in (1...6).map { (i * 384, $0 * 384) } }
        for _ in 0..<5000 {
            let width = random.integer(1...65_535)
            let height = random.integer(1...65_535)
            let grid = AnyresGrid(width: width, height: height, pinpoints: pinpoints)
            let inside =
                (1...grid.canvasHeight).contains(grid.resizedHeight)
                && (1...grid.canvasWidth).contains(grid.resizedWidth)
            #expect(inside, "seed \(seed): \(width) × \(height)")
        }
    }
}
