import Testing
import Transformer
import VisionPreprocessing

@testable import Inference

/// Equal tiles of one image are encoded once, and nobody can tell by the numbers.
@Suite("Equal tiles")
struct TileReuseTests {
    @Test(
        "a square image on a grid of one tile is encoded once, to the same bits",
        arguments: [(104, 104, true), (52, 52, true), (104, 60, false), (300, 300, false)]
    )
    func squareImage(width: Int, height: Int, hasTwin: Bool) throws {
        let session = try EngineBlueprint(
            directory: TinyModel.huggingFace,
            options: TinyModel.options()
        ).makeSession()
        let image = try TinyModel.image(width: width, height: height, seed: 5).image
        let family = try #require(session.builder.family as? LlavaFamily)
        let tiles = ImageTiles(
            tileCount: family.tiles(of: image, layout: .anyres).tiles.count,
            pixels: family.tiles(of: image, layout: .anyres).normalized(),
            packing: family.tilePacking(of: image, layout: .anyres)
        )
        let (quick, quickSteps) = try encode(tiles, session)
        session.visualEncoder.observer = { _, _, _ in }
        let (whole, wholeSteps) = try encode(tiles, session)
        session.visualEncoder.observer = nil

        #expect(quick.map(\.bitPattern) == whole.map(\.bitPattern))
        let layers = (wholeSteps - tiles.tileCount) / tiles.tileCount
        #expect(quickSteps == (hasTwin ? wholeSteps - layers : wholeSteps))
    }

    @Test("the first of several equal tiles is the one encoded, wherever they stand")
    func severalTwins() throws {
        let session = try EngineBlueprint(
            directory: TinyModel.huggingFace,
            options: TinyModel.options()
        ).makeSession()
        let side = try #require(session.model.llava).config.vision.imageSize
        let count = 3 * side * side
        let a = [Float](repeating: 0.25, count: count)
        // Differ from each other in the last float only.
        let b = a.dropLast() + [0.5]
        let negativeZero = [Float](repeating: -0.0, count: count)
        let zero = [Float](repeating: 0, count: count)
        let tiles = ImageTiles(
            tileCount: 7,
            pixels: a + b + a + zero + negativeZero + b + b,
            packing: .anyres(gridRows: 2, gridColumns: 3, originalWidth: 3, originalHeight: 2)
        )
        let (quick, quickSteps) = try encode(tiles, session)
        session.visualEncoder.observer = { _, _, _ in }
        let (whole, wholeSteps) = try encode(tiles, session)
        let layers = wholeSteps / 7 - 1
        #expect(quick.map(\.bitPattern) == whole.map(\.bitPattern))
        #expect(quickSteps == wholeSteps - 3 * layers, "a, b, zero and negative zero are encoded")
    }

    /// The features, and how often the encoder looked whether to stop: once a tile and once a layer.
    private func encode(
        _ tiles: ImageTiles,
        _ session: EngineSession
    ) throws -> ([Float], Int) {
        let encoder = try #require(session.visualEncoder as? LlavaEncoder)
        var steps = 0
        let features = encoder.model.encodeImage(
            tiles,
            activations: encoder.activations,
            pool: session.pool,
            interrupt: { steps += 1 }
        )
        return (features.values, steps)
    }
}
