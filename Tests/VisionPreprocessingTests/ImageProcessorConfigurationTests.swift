import FoundationEssentials
import Testing

@testable import VisionPreprocessing

@Suite("preprocessor_config.json")
struct ImageProcessorConfigurationTests {
    @Test("a whole file is obeyed")
    func whole() throws {
        let processor = try read(
            #"{"size": {"height": 28, "width": 28}, "image_mean": [0.1, 0.2, 0.3], "image_std": [1, 2, 3],"#
                + #""image_grid_pinpoints": [[28, 56], [56, 28]], "resample": 3, "do_resize": true}"#
        )
        #expect(processor.imageSize == 28)
        #expect(processor.mean == [0.1, 0.2, 0.3])
        #expect(processor.standardDeviation == [1, 2, 3])
        #expect(processor.pinpoints.map(\.height) == [28, 56])
        #expect(processor.pinpoints.map(\.width) == [56, 28])
    }

    @Test(
        "the size may be a number, a square or a shortest edge",
        arguments: [#"28"#, #"{"height": 28, "width": 28}"#, #"{"shortest_edge": 28}"#]
    )
    func sizes(text: String) throws {
        #expect(try read(#"{"size": \#(text)}"#).imageSize == 28)
    }

    @Test("pinpoints may be a range in tiles, as the original code writes them")
    func range() throws {
        let processor = try read(
            #"{"size": 28, "image_grid_pinpoints": "(1x1),...,(6x6)"}"#
        )
        #expect(processor.pinpoints.count == 36)
        #expect(processor.pinpoints[1] == (28, 56))
        #expect(processor.pinpoints[35] == (168, 168))
    }

    @Test("without a file the caller's values hold, with mean and deviation 0.5")
    func missing() throws {
        let directory = try makeDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let processor = try ImageProcessor.read(
            directory: directory,
            imageSize: 42,
            pinpoints: [(42, 84)]
        )
        #expect(processor.imageSize == 42)
        #expect(processor.mean == [0.5, 0.5, 0.5])
        #expect(processor.pinpoints[0] == (42, 84))
    }

    @Test("processor_config.json is asked when the older file is not there")
    func wrapped() throws {
        let processor = try read(
            #"{"image_processor": {"size": 28, "image_mean": [0.25, 0.25, 0.25]}}"#,
            name: "processor_config.json"
        )
        #expect(processor.mean == [0.25, 0.25, 0.25])
    }

    @Test("a file without mean gets the default of the class it names")
    func classDefaults() throws {
        #expect(
            try read(#"{"size": 28, "image_processor_type": "LlavaOnevisionImageProcessor"}"#).mean[
                0
            ]
                == 0.48145466
        )
        #expect(
            try read(#"{"size": 28, "image_processor_type": "SiglipImageProcessor"}"#).mean[0]
                == 0.5
        )
    }

    @Test(
        "what is wrong is said by name",
        arguments: [
            (#"{"size": 0}"#, "size: expected 14 to 4096 pixels, got 0"),
            (#"{"size": 99999999}"#, "size: expected 14 to 4096 pixels, got 99999999"),
            (#"{"size": {"height": 28, "width": 56}}"#, "expected a square, got 28 × 56"),
            (#"{"size": {"longest_edge": 28}}"#, "size: expected a number"),
            (#"{"size": "large"}"#, "size: "),
            (#"{"image_mean": [0.5, 0.5]}"#, "image_mean: expected 3 numbers, got 2"),
            (
                #"{"image_mean": [0.5, 0.5, 7]}"#,
                "image_mean: expected numbers from 0.0 to 1.0, got 7"
            ),
            (#"{"image_std": [0.5, 0, 0.5]}"#, "image_std: expected numbers"),
            (#"{"image_grid_pinpoints": []}"#, "expected 1 to 1024 sizes, got 0"),
            (#"{"image_grid_pinpoints": [[28]]}"#, "expected pairs"),
            (#"{"image_grid_pinpoints": [[28, 30]]}"#, "expected multiples of 28"),
            (#"{"image_grid_pinpoints": [[28, -28]]}"#, "expected multiples of 28"),
            (#"{"image_grid_pinpoints": [[28, 28000]]}"#, "expected multiples of 28"),
            (#"{"image_grid_pinpoints": "6 by 6"}"#, "expected a range such as"),
            (#"{"image_grid_pinpoints": "(6x6),...,(1x1)"}"#, "expected a range such as"),
            (#"{"image_grid_pinpoints": "(1x1),...,(99x99)"}"#, "expected a range such as"),
            (#"{"do_normalize": false}"#, "do_normalize: expected true, got false"),
            (#"{"resample": 2}"#, "resample: expected 3 (bicubic), got 2"),
            (#"{"rescale_factor": 1}"#, "rescale_factor: expected 1/255"),
            (#"[1]"#, "preprocessor_config.json: "),
            (#"{"size""#, "preprocessor_config.json: "),
        ]
    )
    func refused(text: String, sentence: String) throws {
        let error = #expect(throws: VisionPreprocessingError.self) { try read(text) }
        #expect(error?.message.contains(sentence) == true, "\(error?.message ?? "nothing thrown")")
    }

    @Test("damaged files end in a sentence or a processor, never in a crash")
    func mutations() throws {
        let whole =
            Array(
                #"{"size":{"height":28,"width":28},"image_mean":[0.5,0.5,0.5],"image_grid_pinpoints":"#
                    .utf8
            ) + Array(#""(1x1),...,(6x6)","image_std":[1,1,1],"resample":3}"#.utf8)
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix(state: seed)
        let directory = try makeDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for _ in 0..<1000 {
            var bytes = whole
            for _ in 0..<random.integer(1...3) {
                let position = random.integer(0...bytes.count - 1)
                bytes[position] = random.integer(0...3) == 0 ? 0x39 : UInt8(random.integer(0...255))
            }
            try Data(bytes).write(to: URL(filePath: directory + "/preprocessor_config.json"))
            do throws(VisionPreprocessingError) {
                let processor = try ImageProcessor.read(
                    directory: directory,
                    imageSize: 28,
                    pinpoints: [(28, 28)]
                )
                #expect(!processor.pinpoints.isEmpty, "seed \(seed)")
            } catch {
                #expect(error.message.hasPrefix(directory), "seed \(seed): \(error.message)")
            }
        }
    }

    @discardableResult
    private func read(
        _ text: String,
        name: String = "preprocessor_config.json"
    ) throws -> ImageProcessor {
        let directory = try makeDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Data(text.utf8).write(to: URL(filePath: "\(directory)/\(name)"))
        return try ImageProcessor.read(directory: directory, imageSize: 28, pinpoints: [(28, 28)])
    }

    private func makeDirectory() throws -> String {
        let path = "/tmp/rewardd-preprocess-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true
        )
        return path
    }
}
