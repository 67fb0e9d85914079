import FoundationEssentials
import Testing

@testable import VisionPreprocessing

/// Sizes and patches of the Qwen-VL processors against the reference's (`make_patch_goldens.py`).
@Suite("Patches of Qwen-VL")
struct PixelBudgetTests {
    private struct Rows: Decodable {
        let image: [[Int]]
        let clip25: [[Int]]
        let clip3: [[Int]]
    }

    private static func rows() throws -> Rows {
        let path = PreprocessGoldens.path("preprocess/patches.json")
        return try JSONDecoder().decode(Rows.self, from: Data(contentsOf: URL(filePath: path)))
    }

    @Test("pictures and frames are made as large as by the reference")
    func sizes() throws {
        let rows = try Self.rows()
        for row in rows.image + rows.clip25 {
            let budget = PixelBudget(factor: row[2], least: row[3], most: row[4])
            let size = try budget.size(width: row[1], height: row[0])
            #expect([size.height, size.width] == Array(row[5...]), "\(row)")
        }
        for row in rows.clip3 {
            let budget = PixelBudget(factor: row[3], least: row[4], most: row[5])
            let size = try budget.size(width: row[2], height: row[1], frames: row[0])
            #expect([size.height, size.width] == Array(row[6...]), "\(row)")
        }
        #expect(rows.image.count > 250 && rows.clip3.count > 100)
    }

    @Test("a clip smaller than a cell is scaled up first, as by transformers 5")
    func smallClip() throws {
        let budget = PixelBudget(factor: 32, least: 4096, most: 25_165_824)
        #expect(try budget.size(width: 20, height: 16, frames: 4) == (32, 32))
        #expect(try budget.size(width: 40, height: 16, frames: 4) == (64, 32))
        #expect(try budget.size(width: 1, height: 1, frames: 1) == (64, 64))
    }

    @Test("a picture over two hundred times as long as wide is refused by its size")
    func ratio() throws {
        let budget = PixelBudget(factor: 28, least: 3136, most: 12_845_056)
        #expect(try budget.size(width: 13, height: 200) == (28, 224))
        for (width, height) in [(1, 201), (402, 2)] {
            #expect {
                try budget.size(width: width, height: height)
            } throws: { error in
                "\(error)".contains("got \(width) × \(height) pixels")
            }
            #expect(throws: VisionPreprocessingError.self) {
                try budget.size(width: width, height: height, frames: 2)
            }
        }
    }

    @Test(
        "patches are the reference's to the last bit",
        arguments: ["pillow", "torchvision", "clip"]
    )
    func patches(kind: String) throws {
        let goldens = try PreprocessGoldens("preprocess/patches.safetensors")
        var compared = 0
        for index in 0..<4 where goldens.names.contains("\(index)_\(kind)") {
            let picture = try goldens.image("\(index)_in")
            let (width, height) = (picture.width, picture.height)
            let processor = Self.processor(kind)
            let processed: ProcessedPatches
            if kind == "clip" {
                let size = try processor.budget.size(
                    width: width,
                    height: height,
                    frames: 2
                )
                processed = processor.patches(
                    of: [picture, try Self.mirrored(picture)],
                    width: size.width,
                    height: size.height
                )
            } else {
                let size = try processor.budget.size(width: width, height: height)
                processed = processor.patches(
                    of: [picture],
                    width: size.width,
                    height: size.height
                )
            }
            let values = processed.normalized()
            let places = try goldens.integers("\(index)_\(kind)_index")
            #expect(try goldens.integers("\(index)_\(kind)_count") == [values.count])
            #expect(try goldens.floats("\(index)_\(kind)") == places.map { values[$0] })
            compared += 1
        }
        #expect(compared == (kind == "clip" ? 3 : 4))
    }

    private static func processor(_ kind: String) -> PatchProcessor {
        kind == "pillow"
            ? PatchProcessor(
                patchSize: 14,
                leastPixels: 3136,
                mostPixels: 50_176,
                mean: [0.48145466, 0.4578275, 0.40821073],
                standardDeviation: [0.26862954, 0.26130258, 0.27577711],
                arithmetic: .pillow
            )
            : PatchProcessor(
                patchSize: 16,
                leastPixels: 4096,
                mostPixels: 65_536,
                mean: [0.5, 0.5, 0.5],
                standardDeviation: [0.5, 0.5, 0.5],
                arithmetic: .torchvision
            )
    }

    private static func mirrored(_ image: RGBImage) throws -> RGBImage {
        var pixels: [UInt8] = []
        for row in 0..<image.height {
            for column in (0..<image.width).reversed() {
                let start = (row * image.width + column) * 3
                pixels += image.pixels[start..<start + 3]
            }
        }
        return try RGBImage(width: image.width, height: image.height, pixels: pixels)
    }
}

/// preprocessor_config.json of Qwen-VL checkpoints.
@Suite("Preprocessor configurations of Qwen-VL")
struct PatchConfigurationTests {
    @Test("both spellings of the bounds, and the classes' own where there are none")
    func bounds() throws {
        for (text, least, most) in [
            (#"{"min_pixels": 3136, "max_pixels": 75264}"#, 3136, 75_264),
            (#"{"size": {"shortest_edge": 4096, "longest_edge": 81920}}"#, 4096, 81_920),
            (#"{"size": {"min_pixels": 4096, "max_pixels": 81920}}"#, 4096, 81_920),
            (#"{"size": {"shortest_edge": 1, "longest_edge": 2}, "max_pixels": 9}"#, 1, 9),
            ("{}", 3136, 1_003_520),
        ] {
            let processor = try read(["preprocessor_config.json": text])
            #expect(processor.budget == PixelBudget(factor: 28, least: least, most: most))
        }
    }

    @Test("mean and deviation are the class's where the file has none")
    func channels() throws {
        let qwen = #"{"image_processor_type": "Qwen2VLImageProcessorFast"}"#
        #expect(try read(["preprocessor_config.json": qwen]).mean[0] == 0.48145466)
        let own = #"{"image_mean": [0.5, 0.25, 0.5], "image_std": [0.5, 0.5, 0.5]}"#
        #expect(try read(["preprocessor_config.json": own]).mean == [0.5, 0.25, 0.5])
    }

    @Test("clips have a file of their own, else that of pictures")
    func clips() throws {
        let picture = #"{"min_pixels": 3136, "max_pixels": 75264}"#
        let clip = #"{"size": {"shortest_edge": 100, "longest_edge": 200}}"#
        let files = ["preprocessor_config.json": picture]
        #expect(try read(files, isClip: true).budget.most == 75_264)
        let both = files.merging(["video_preprocessor_config.json": clip]) { $1 }
        #expect(try read(both, isClip: true).budget.most == 200)
        #expect(try read(both).budget.most == 75_264)
    }

    @Test(
        "what cannot be is refused with the file and the field",
        arguments: [
            (#"{"min_pixels": 0}"#, "min_pixels and max_pixels (or size): expected two ascending"),
            (#"{"min_pixels": 9, "max_pixels": 8}"#, "got 9 and 8."),
            (#"{"max_pixels": 9223372036854775807}"#, "expected two ascending"),
            (#"{"size": 384}"#, "size: expected shortest_edge and longest_edge"),
            (#"{"patch_size": 16}"#, "patch_size: expected 14, got 16. Is config.json"),
            (#"{"merge_size": 3}"#, "merge_size: expected 2, got 3."),
            (#"{"temporal_patch_size": 1}"#, "temporal_patch_size: expected 2, got 1."),
            (#"{"do_resize": false}"#, "do_resize: expected true, got false."),
            (#"{"image_mean": [0.5]}"#, "image_mean: expected 3 numbers, got 1."),
            ("[]", "found an array"),
        ]
    )
    func refusals(text: String, sentence: String) {
        #expect {
            try read(["preprocessor_config.json": text])
        } throws: { error in
            "\(error)".contains("preprocessor_config.json: ") && "\(error)".contains(sentence)
        }
    }

    @Test("a checkpoint without the file is refused with what to do")
    func missing() {
        #expect {
            try read([:])
        } throws: { error in
            "\(error)".contains("expected preprocessor_config.json, got no such file. Copy it")
        }
    }

    private func read(_ files: [String: String], isClip: Bool = false) throws -> PatchProcessor {
        let directory =
            FileManager.default.temporaryDirectory.path + "/patches-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for (name, text) in files {
            try Data(text.utf8).write(to: URL(filePath: directory + "/" + name))
        }
        return try PatchProcessor.read(
            directory: directory,
            patchSize: 14,
            defaults: isClip ? .qwen25Clip : .picture,
            arithmetic: .pillow
        )
    }
}
