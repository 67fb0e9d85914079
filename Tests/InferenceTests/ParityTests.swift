import Foundation
import Testing
import Transformer

@testable import Inference

/// Every stage against the recorded runs of the reference implementation.
///
/// What breaks silently: everything. A reward model with a shifted position or an unfused multiply still
/// answers; only these numbers say that it is another model.
@Suite("Parity with the reference")
struct ParityTests {
    @Test(
        "every committed case is within tolerance, pixels and tokens exact",
        arguments: [(TinyModel.huggingFace, 256), (TinyModel.original, 31)]
    )
    func goldens(checkpoint: String, prefillRows: Int) throws {
        let report = try run(checkpoint, prefillRows: prefillRows)
        #expect(report.isWithin, "\(report.text)")
        #expect(report.cases.count { $0.skipped == nil } == 9)
        #expect(report.worst.contains { $0.stage == "video_features" })
        let exact = report.worst.filter {
            ["pixels", "pixel_sample", "token_ids", "chat_template", "greedy_ids"].contains(
                $0.stage
            )
        }
        #expect(exact.count == 5)
        #expect(exact.allSatisfy { $0.difference == 0 })
    }

    @Test(
        "every committed case of Qwen-VL is within tolerance, pixels, tokens and places exact",
        arguments: [
            ("qwen2_5_vl", 256, 7), ("qwen3_vl", 256, 9), ("qwen2_5_vl", 23, 7),
            ("qwen3_vl", 23, 9),
        ]
    )
    func qwen(family: String, prefillRows: Int, count: Int) throws {
        let report = try ParityRun(
            checkpoint: TinyModel.goldens + "/\(family)/hf-bf16",
            goldens: TinyModel.goldens + "/\(family)/golden",
            threads: 2,
            prefillRows: prefillRows,
            loadImage: { try TinyModel.picture($0) }
        ).run()
        #expect(report.isWithin, "\(report.text)")
        #expect(report.cases.count { $0.skipped == nil } == count)
        var exact: Set = [
            "pixels", "pixel_sample", "clip_pixels", "clip_pixel_sample", "token_ids",
            "chat_template", "positions", "greedy_ids",
        ]
        if family == "qwen2_5_vl" { exact.formUnion(["trained_positions", "trained_greedy_ids"]) }
        let measured = report.worst.filter { exact.contains($0.stage) }
        #expect(Set(measured.map(\.stage)) == exact)
        #expect(measured.allSatisfy { $0.difference == 0 })
        #expect(report.worst.contains { $0.stage == "projector_out" })
        #expect(report.worst.contains { $0.stage == "deepstack_1" } == (family == "qwen3_vl"))
    }

    @Test(
        "pictures are encoded before clips, as by the reference, wherever they stand",
        arguments: ["qwen2_5_vl", "qwen3_vl"]
    )
    func order(family: String) throws {
        let goldens = TinyModel.goldens + "/\(family)/golden/mix_img_video"
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "rewardd-parity-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.copyItem(
            atPath: goldens + ".safetensors",
            toPath: folder + "/turned.safetensors"
        )
        let data = try Data(contentsOf: URL(filePath: goldens + ".json"))
        var record = try #require(
            JSONSerialization.jsonObject(with: data) as? [String: Any]
        )
        var messages = try #require(record["messages"] as? [[String: Any]])
        let content = try #require(messages[0]["content"] as? [Any])
        messages[0]["content"] = Array(content.reversed())
        record["messages"] = messages
        try JSONSerialization.data(withJSONObject: record)
            .write(to: URL(filePath: folder + "/turned.json"))

        let session = try EngineBlueprint(
            directory: TinyModel.goldens + "/\(family)/hf-bf16",
            options: EngineOptions(threads: 1, contextLimit: 1024)
        ).makeSession()
        let shown = try PatchCase(
            GoldenCase(directory: folder, name: "turned"),
            session: session,
            convention: .transformers4,
            load: { try TinyModel.picture($0) }
        )
        var rows: [Int] = []
        shown.encoder.observer = { stage, values, columns in
            if case .projector = stage { rows.append(values.count / columns) }
        }
        let input = try shown.input()
        let visuals = shown.plan.visuals
        let picture = try #require(visuals.last)
        guard case .image = picture.source else {
            Issue.record("the picture stands last")
            return
        }
        #expect(visuals.count > 1 && rows.first == picture.tokens)
        #expect(rows.reduce(0, +) == visuals.reduce(0) { $0 + $1.tokens })
        #expect(input.count == shown.plan.count)
    }

    @Test(
        "another model of each family, by the engine's own rules for clips and pictures",
        arguments: ["qwen2_5_vl", "qwen3_vl"]
    )
    func other(family: String) throws {
        let report = try ParityRun(
            checkpoint: TinyModel.goldens + "/\(family)/other",
            goldens: TinyModel.goldens + "/\(family)/other-golden",
            threads: 2,
            loadImage: { try TinyModel.picture($0) }
        ).run()
        #expect(report.isWithin, "\(report.text)")
        #expect(report.cases.count { $0.skipped == nil } == 4)
        let exact: Set = [
            "pixel_sample", "clip_pixel_sample", "token_ids", "chat_template", "positions",
            "greedy_ids",
        ]
        #expect(exact.isSubset(of: report.worst.map(\.stage)))
        #expect(
            report.worst.allSatisfy { !exact.contains($0.stage) || $0.difference == 0 }
        )
        #expect(report.worst.contains { $0.stage == "logits_last" })
    }

    @Test("a case that is over its tolerance is named and fails the report")
    func overTolerance() throws {
        let parity = try ParityRun(
            checkpoint: TinyModel.huggingFace,
            goldens: TinyModel.goldens + "/llava_ov/golden",
            threads: 1,
            loadImage: { _ in try TinyModel.image(width: 61, height: 187, seed: 1).image }
        )
        let golden = try GoldenCase(
            directory: TinyModel.goldens + "/llava_ov/golden",
            name: "img1_tall"
        )
        let report = ParityReport(cases: [try parity.run(golden)])
        #expect(!report.isWithin)
        #expect(report.text.contains("img1_tall pixels"))
    }

    @Test("goldens that are missing are an error, not a pass")
    func missingGoldens() throws {
        #expect(throws: ParityError.self) { try GoldenCase.all(in: "/nonexistent") }
        #expect(!ParityReport(cases: []).isWithin)
    }

    private func run(_ checkpoint: String, prefillRows: Int) throws -> ParityReport {
        try ParityRun(
            checkpoint: checkpoint,
            goldens: TinyModel.goldens + "/llava_ov/golden",
            threads: 2,
            prefillRows: prefillRows,
            loadImage: { try TinyModel.picture($0) }
        ).run()
    }
}
