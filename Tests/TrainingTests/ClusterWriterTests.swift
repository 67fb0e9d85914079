import Hashing
import Inference
import RewardModeling
import Synchronization
import Testing
import Transformer
import VisionPreprocessing

@testable import Training

@Suite("clusters")
struct ClusterWriterTests {
    /// Grey pictures, which count how often they are asked for.
    private final class CountingMedia: MediaProvider {
        let requests = Mutex<[String: Int]>([:])

        func image(
            _ reference: MediaReference,
            _ preparation: PicturePreparation
        ) async throws -> EngineImage {
            let name = reference.json.json
            requests.withLock { $0[name, default: 0] += 1 }
            return EngineImage(
                digest: SHA256.digest(Array(name.utf8)),
                image: try RGBImage(
                    width: 8,
                    height: 8,
                    pixels: [UInt8](repeating: 128, count: 192)
                )
            )
        }
    }

    private static let base = TrainingSamples.goldens + "/llava_ov/hf-bf16"
    private static let lines = """
        {"task": "image_generation", "caption": "a star", "first": "a.png", "second": "b.png", \
        "verdict": "first"}
        {"task": "image_generation", "caption": "a ring", "image": "b.png", "score": 2}
        {"task": "image_generation", "media": ["a.png"], "prompt": "What?", "response": "A star."}
        """

    private func cluster(
        _ lossMean: TrainingOptions.LossMean,
        _ media: CountingMedia
    ) async throws -> PreparedCluster {
        let blueprint = try EngineBlueprint(
            directory: Self.base,
            options: EngineOptions(threads: 1)
        )
        let layout = try ParameterLayout(checkpointDirectory: Self.base)
        let writer = ClusterWriter(
            examples: ExampleWriter(pack: try PromptPack.builtin(), media: media),
            builder: blueprint.inputBuilder(vocabularySize: layout.vocabularySize),
            family: try #require(blueprint.family as? LlavaFamily),
            endOfTurn: try blueprint.turnTokens().endOfTurn,
            contextLimit: 1 << 20,
            lossMean: lossMean,
            file: "dataset.jsonl"
        )
        let dataset = try Dataset(bytes: Array(Self.lines.utf8), name: "dataset.jsonl")
        return try await writer.cluster(of: dataset.records)
    }

    @Test("a picture is read once however many records show it")
    func reading() async throws {
        let media = CountingMedia()
        let cluster = try await cluster(.tokens, media)
        #expect(cluster.size.examples == 4)
        let counts = media.requests.withLock { Array($0.values) }
        #expect(counts == [1, 1])
    }

    @Test("the mean over answers gives each answer the weight 1, the mean over tokens each token")
    func lossMean() async throws {
        for mean in TrainingOptions.LossMean.allCases {
            let cluster = try await cluster(mean, CountingMedia())
            for branch in cluster.sequences.flatMap(\.branches) {
                let targets = branch.targets.count { $0 >= 0 }
                let weight = branch.weight * Float(targets)
                let wanted = mean == .answers ? 1 : Float(targets)
                #expect(abs(weight - wanted) < 1e-5)
            }
        }
    }
}
