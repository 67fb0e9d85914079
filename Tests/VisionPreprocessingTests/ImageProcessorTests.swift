import FoundationEssentials
import Testing

@testable import VisionPreprocessing

@Suite("Tiles equal the reference's")
struct ImageProcessorTests {
    @Test("all three layouts equal what Pillow and the formulas give")
    func layouts() throws {
        let goldens = try PreprocessGoldens("preprocess/tiles.safetensors")
        let image = try goldens.image("image")
        let processor = makeProcessor()
        for (layout, name) in [
            (ImageProcessor.Layout.anyres, "anyres"), (.paddedSquare, "padded"),
            (.squashed, "squashed"),
        ] {
            let processed = processor.tiles(of: image, layout: layout)
            let shape = try goldens.shape(name)
            #expect(processed.tiles.count == shape[0])
            #expect(try processed.tiles.flatMap(\.pixels) == goldens.bytes(name), "\(name)")
            #expect(processed.originalWidth == 70)
            #expect(processed.originalHeight == 45)
            #expect(processed.gridRows * processed.gridColumns == shape[0] - 1)
        }
    }

    @Test("normalised values are equal bit for bit, channel before row before column")
    func normalised() throws {
        let goldens = try PreprocessGoldens("preprocess/tiles.safetensors")
        let processed = makeProcessor().tiles(of: try goldens.image("image"), layout: .paddedSquare)
        #expect(try processed.normalized() == goldens.floats("padded_normalized"))
    }

    @Test(
        "a checkpoint's golden pictures become the tiles of the reference implementation",
        arguments: [
            ("img1", "grad_230x150.png", 0), ("img1_tall", "tall_61x187.png", 0),
            ("img2", "grad_230x150.png", 0), ("img2", "tall_61x187.png", 1),
            ("img2_flat", "tall_61x187.png", 0), ("img2_flat", "square_96x96.png", 1),
            ("orig_img2_pair", "tall_61x187.png", 0), ("orig_img2_pair", "square_96x96.png", 1),
        ]
    )
    func checkpointGoldens(name: String, picture: String, index: Int) throws {
        let goldens = try PreprocessGoldens("llava_ov/golden/\(name).safetensors")
        let pictures = try PreprocessGoldens("preprocess/pictures.safetensors")
        let processor = try ImageProcessor.read(
            directory: PreprocessGoldens.path("llava_ov/hf-bf16"),
            imageSize: 384,
            pinpoints: []
        )
        let processed = processor.tiles(
            of: try pictures.image(picture),
            layout: name == "img2" ? .paddedSquare : .anyres
        )
        #expect(
            try processed.tiles.flatMap(\.pixels) == goldens.bytes("tiles_u8_\(index)")
        )
        // The sampled pixel values are of the first picture's tiles.
        guard name.hasPrefix("img1") else { return }
        let values = processed.normalized()
        let samples = try zip(
            goldens.integers("pixel_sample_idx"),
            goldens.floats("pixel_sample_val")
        )
        for (position, expected) in samples { #expect(values[position] == expected) }
    }

    @Test("black bars are −1 and a square picture has none")
    func bars() {
        let processor = ImageProcessor(
            imageSize: 28,
            mean: [0.5, 0.5, 0.5],
            standardDeviation: [0.5, 0.5, 0.5],
            pinpoints: [(28, 56)]
        )
        let white = RGBImage.filled(width: 28, height: 28, colour: [255, 255, 255])
        let processed = processor.tiles(of: white, layout: .anyres)
        #expect(processed.gridRows == 1)
        #expect(processed.gridColumns == 2)
        let values = processed.normalized()
        #expect(values[..<(3 * 784)].allSatisfy { $0 == 1 })
        #expect(values[3 * 784] == -1)
    }

    @Test(
        "extreme shapes make whole tiles",
        arguments: [(1, 1), (1, 4000), (4000, 1), (65_535, 2)]
    )
    func extremes(width: Int, height: Int) {
        let image = RGBImage.filled(width: width, height: height, colour: [9, 99, 199])
        for layout in ImageProcessor.Layout.allCases where layout != .paddedSquare || width < 9000 {
            let processed = makeProcessor().tiles(of: image, layout: layout)
            #expect(processed.tiles.allSatisfy { $0.width == 28 && $0.height == 28 })
            #expect(processed.tiles.count == 1 + processed.gridRows * processed.gridColumns)
        }
    }

    @Test("a wrong byte count is refused with both numbers")
    func imageChecks() {
        #expect(throws: VisionPreprocessingError("image: expected 2 × 2 × 3 bytes, got 11.")) {
            try RGBImage(width: 2, height: 2, pixels: [UInt8](repeating: 0, count: 11))
        }
        #expect(throws: VisionPreprocessingError.self) {
            try RGBImage(width: 0, height: 2, pixels: [])
        }
        #expect(throws: VisionPreprocessingError.self) {
            try RGBImage(width: .max, height: .max, pixels: [])
        }
    }

    private func makeProcessor() -> ImageProcessor {
        ImageProcessor(
            imageSize: 28,
            mean: [0.48145466, 0.4578275, 0.40821073],
            standardDeviation: [0.26862954, 0.26130258, 0.27577711],
            pinpoints: (1...6).flatMap { i in (1...6).map { (i * 28, $0 * 28) } }
        )
    }
}
