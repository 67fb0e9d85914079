import FoundationEssentials
import Testing

@testable import VisionPreprocessing

/// What breaks silently: frames resized like pictures differ in a few bytes of a thousand, and the
/// scores of videos drift from the reference's.
@Suite("Frames of a video equal the reference's")
struct VideoProcessorTests {
    @Test("golden frames become the tiles of the reference implementation", arguments: [0, 4])
    func goldenFrames(frame: Int) throws {
        let frames = try PreprocessGoldens("preprocess/torchvision.safetensors")
        let golden = try PreprocessGoldens("llava_ov/golden/video8.safetensors")
        let processor = try VideoProcessor.read(
            directory: PreprocessGoldens.path("llava_ov/hf-bf16"),
            imageSize: 384
        )
        #expect(processor.imageSize == 104)
        let source = try frames.image("frame_\(frame)")
        let processed = processor.tiles(of: [source, source])
        #expect(processed.tiles.count == 2)
        let bytes = 104 * 104 * 3
        let expected = try golden.bytes("video_u8")[(frame * bytes)..<((frame + 1) * bytes)]
        #expect(processed.tiles.allSatisfy { $0.pixels.elementsEqual(expected) })

        // The samples are of all frames: those of this one are looked at.
        let values = processed.normalized()
        let samples = try zip(
            golden.integers("pixel_sample_idx"),
            golden.floats("pixel_sample_val")
        ).filter { $0.0 / bytes == frame }
        #expect(samples.count > 100)
        for (position, expected) in samples { #expect(values[position % bytes] == expected) }
    }

    @Test("values are normalised in one step, bit for bit")
    func normalised() throws {
        let goldens = try PreprocessGoldens("preprocess/torchvision.safetensors")
        let processor = VideoProcessor(
            imageSize: 28,
            mean: [0.48145466, 0.4578275, 0.40821073],
            standardDeviation: [0.26862954, 0.26130258, 0.27577711]
        )
        let processed = processor.tiles(of: [try goldens.image("frame_0")])
        #expect(try processed.tiles == [goldens.image("frame_resized")])
        #expect(try processed.normalized() == goldens.floats("frame_normalized"))
    }

    @Test("frames may differ in size; the first one gives the original size")
    func sizes() {
        let processor = VideoProcessor(
            imageSize: 28,
            mean: [0.5, 0.5, 0.5],
            standardDeviation: [0.5, 0.5, 0.5]
        )
        let frames = [(1, 1), (1, 900), (900, 2), (28, 28)].map {
            RGBImage.filled(width: $0.0, height: $0.1, colour: [9, 99, 199])
        }
        let processed = processor.tiles(of: frames)
        #expect(processed.tiles.count == 4)
        #expect(processed.tiles.allSatisfy { $0 == processed.tiles[3] })
        #expect(processed.originalWidth == 1 && processed.originalHeight == 1)
        #expect(processed.gridRows == 0 && processed.gridColumns == 0)
        #expect(processed.normalized().count == 4 * 3 * 28 * 28)
    }

    @Test(
        "the nested part comes first, then the file of its own, then the one of pictures",
        arguments: [
            (["processor_config", "video_preprocessor_config", "preprocessor_config"], 28),
            (["video_preprocessor_config", "preprocessor_config"], 42),
            (["preprocessor_config"], 56), ([], 70),
        ]
    )
    func precedence(files: [String], side: Int) throws {
        let contents = [
            "processor_config": #"{"video_processor": {"size": 28}}"#,
            "video_preprocessor_config": #"{"size": {"height": 42, "width": 42}}"#,
            "preprocessor_config": #"{"size": 56}"#,
        ]
        let named = files.map { ($0, contents[$0] ?? "") }
        let processor = try read(Dictionary(uniqueKeysWithValues: named))
        #expect(processor.imageSize == side)
    }

    @Test("a left out mean is the default of the class the file names")
    func classDefault() throws {
        let processor = try read([
            "video_preprocessor_config":
                #"{"size": 28, "video_processor_type": "LlavaOnevisionVideoProcessor"}"#
        ])
        let black = RGBImage.filled(width: 28, height: 28, colour: [0, 0, 0])
        let value = processor.tiles(of: [black]).normalized()[0]
        #expect(abs(value - -0.48145466 / 0.26862954) < 1e-6)
    }

    @Test(
        "what is not implemented or no configuration is refused with the file's name",
        arguments: [
            #"{"do_resize": false}"#, #"{"size": {"height": 28, "width": 42}}"#, #"{"size": 1}"#,
            #"{"image_std": [0, 0, 0]}"#, "[]", "",
        ]
    )
    func refusals(text: String) throws {
        let error = #expect(throws: VisionPreprocessingError.self) {
            try read(["video_preprocessor_config": text])
        }
        #expect(error?.message.contains("video_preprocessor_config.json: ") == true)
    }

    /// The processor of a directory with these files.
    private func read(_ files: [String: String]) throws -> VideoProcessor {
        let directory =
            FileManager.default.temporaryDirectory.path
            + "/video-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for (name, text) in files {
            try Data(text.utf8).write(to: URL(filePath: "\(directory)/\(name).json"))
        }
        return try VideoProcessor.read(directory: directory, imageSize: 70)
    }
}
