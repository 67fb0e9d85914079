import FoundationEssentials
import Hashing
import Inference
import Logging
import MediaDecoding
import Synchronization
import Tokenization
import VisionPreprocessing

/// The tiny random checkpoint and its pictures, as every suite of this target uses them.
enum TinyModel {
    /// `Tests/Goldens`.
    static let goldens =
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
        + "/Goldens"

    /// Hugging Face naming.
    static let huggingFace = goldens + "/llava_ov/hf-bf16"
    /// Original naming, in shards.
    static let original = goldens + "/llava_ov/orig-bf16-sharded"

    /// Options small enough for tests.
    static func options(
        threads: Int = 1,
        contextLimit: Int = 2048,
        visionCacheBytes: Int = 1 << 20,
        prefillRows: Int = 64,
        reusesPrefix: Bool = true
    ) -> EngineOptions {
        EngineOptions(
            threads: threads,
            contextLimit: contextLimit,
            visionCacheBytes: visionCacheBytes,
            prefillRows: prefillRows,
            reusesPrefix: reusesPrefix
        )
    }

    /// An engine of its own.
    static func makeEngine(
        _ options: EngineOptions = options(),
        directory: String = huggingFace
    ) throws -> Engine {
        try Engine(
            blueprint: EngineBlueprint(directory: directory, options: options),
            logger: Logger(sink: RecordingLogSink())
        )
    }

    /// A picture of the goldens' media folder.
    static func picture(_ name: String) throws -> RGBImage {
        let path = "\(goldens)/media/\(name)"
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        return try ImageDecoder(limits: MediaLimits()).decode(bytes)
    }

    /// A made-up picture; equal arguments, equal pixels and digest.
    static func image(width: Int, height: Int, seed: UInt64) throws -> EngineImage {
        var random = SplitMix(state: seed)
        let pixels = (0..<(3 * width * height)).map { _ in UInt8(truncatingIfNeeded: random.next())
        }
        return EngineImage(
            digest: SHA256.digest(pixels + "\(width)x\(height)".utf8),
            image: try RGBImage(width: width, height: height, pixels: pixels)
        )
    }

    /// One image and a question about it.
    static func prompt(seed: UInt64 = 1, text: String = "Which is better?") throws -> EnginePrompt {
        EnginePrompt(
            content: [.image(0), .text(text)],
            images: [try image(width: 60, height: 40, seed: seed)]
        )
    }
}

/// Keeps every line it is given.
final class RecordingLogSink: LogSink {
    private let lines = Mutex<[LogLine]>([])

    func write(_ line: LogLine) { lines.withLock { $0.append(line) } }

    /// Number of lines with this message.
    func count(_ message: String) -> Int {
        lines.withLock { $0.count { $0.message == message } }
    }

    /// The last line with this message.
    func last(_ message: String) -> LogLine? {
        lines.withLock { $0.last { $0.message == message } }
    }
}

/// A small seeded generator (Steele, Lea and Flood 2014, SplitMix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
