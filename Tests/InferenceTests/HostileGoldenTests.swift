import FoundationEssentials
import Inference
import Testing

/// Golden files cut and bent at random: a report or an error, never a crash.
@Suite("Hostile goldens")
struct HostileGoldenTests {
    @Test("are measured or refused with a sentence", arguments: 0..<60 as Range<UInt64>)
    func mutations(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let name = ["text_only", "orig_frames4", "video8"][Int(seed % 3)]
        let source = TinyModel.goldens + "/llava_ov/golden/" + name
        let directory = ScratchFolder.make(seed)
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for ending in [".json", ".safetensors"] {
            var bytes = [UInt8](try Data(contentsOf: URL(filePath: source + ending)))
            mutate(&bytes, &random, isText: ending == ".json")
            try Data(bytes).write(to: URL(filePath: directory + "/case" + ending))
        }
        do {
            let golden = try GoldenCase(directory: directory, name: "case")
            let report = try makeParity().run(golden)
            #expect(report.name == "case", "seed \(seed)")
        } catch let error as ParityError {
            #expect("\(error)".hasSuffix("."), "seed \(seed): \(error)")
        }
    }

    private func makeParity() throws -> ParityRun {
        try ParityRun(
            checkpoint: TinyModel.huggingFace,
            goldens: TinyModel.goldens + "/llava_ov/golden",
            threads: 1,
            loadImage: { try TinyModel.picture($0) }
        )
    }

    /// Changes a few digits of a text, so that it mostly still parses, or a few bytes of a header.
    private func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix, isText: Bool) {
        let range = isText ? 0..<bytes.count : 0..<min(bytes.count, 1500)
        let digits = range.filter { (0x30...0x39).contains(bytes[$0]) }
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            guard let place = digits.randomElement(using: &random) else { return }
            bytes[place] = UInt8.random(in: 0x30...0x39, using: &random)
        }
        if Int.random(in: 0..<8, using: &random) == 0 {
            bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random))
        }
    }
}

/// Names of scratch folders of this suite.
private enum ScratchFolder {
    static func make(_ seed: UInt64) -> String {
        FileManager.default.temporaryDirectory.path + "/hostile-golden-\(seed)-"
            + "\(UInt64.random(in: .min ... .max))"
    }
}
