import FoundationEssentials
import Testing
import VisionPreprocessing

/// Another frame than the reference's is a picture that looks right and a score that is not the reference's.
@Suite("Frames of a video are chosen")
struct FrameSamplerTests {
    /// A line of `Goldens/video/sampling.json`.
    private struct Case: Decodable {
        let rule: String
        let count: Int
        let frameCount: Int
        let framesPerSecond: Double
        let indices: [Int]

        init(from decoder: any Decoder) throws {
            var values = try decoder.unkeyedContainer()
            rule = try values.decode(String.self)
            count = try values.decode(Int.self)
            frameCount = try values.decode(Int.self)
            framesPerSecond = try values.decode(Double.self)
            indices = try values.decode([Int].self)
        }
    }

    @Test("as numpy, the scripts of 2.0 and qwen_vl_utils choose them")
    func goldens() throws {
        let path = PreprocessGoldens.path("video/sampling.json")
        let cases = try JSONDecoder().decode(
            [Case].self,
            from: Data(contentsOf: URL(filePath: path))
        )
        #expect(cases.count == 247)
        for sample in cases {
            let rule = try #require(FrameSampler.Rule(rawValue: sample.rule))
            let selection = FrameSampler(rule: rule, count: sample.count).selection(
                frameCount: sample.frameCount,
                framesPerSecond: sample.framesPerSecond
            )
            #expect(
                selection == .frames(sample.indices),
                "\(rule) \(sample.count) of \(sample.frameCount) at \(sample.framesPerSecond)"
            )
        }
    }

    @Test("in ascending order, none twice, none outside", arguments: FrameSampler.Rule.allCases)
    func distinct(rule: FrameSampler.Rule) {
        for count in Array(2...70) + [300, FrameSampler.counts.upperBound] {
            let sampler = FrameSampler(rule: rule, count: count)
            for frameCount in 0..<150 {
                for rate in [0.5, 8, 29.97, 1000] {
                    let selection = sampler.selection(
                        frameCount: frameCount,
                        framesPerSecond: rate
                    )
                    guard case .frames(let indices) = selection else {
                        #expect(frameCount < (rule == .fps ? 2 : count))
                        continue
                    }
                    #expect(zip(indices, indices.dropFirst()).allSatisfy { $0 < $1 })
                    #expect(indices.first == 0 && (indices.last ?? 0) < frameCount)
                    #expect(rule == .fps ? indices.count <= count : indices.count == count)
                }
            }
        }
    }

    @Test("or refused, when there are too few or the rate is not known")
    func refused() {
        for rule in [FrameSampler.Rule.linspace, .segments] {
            let sampler = FrameSampler(rule: rule)
            #expect(sampler.count == 8)
            #expect(sampler.selection(frameCount: 7, framesPerSecond: nil) == .tooFew(least: 8))
            #expect(sampler.selection(frameCount: 0, framesPerSecond: 25) == .tooFew(least: 8))
        }
        let sampler = FrameSampler(rule: .fps)
        #expect(sampler.count == 768)
        #expect(sampler.selection(frameCount: 1, framesPerSecond: 25) == .tooFew(least: 2))
        for rate in [nil, 0, -1, .infinity, .nan] as [Double?] {
            #expect(sampler.selection(frameCount: 90, framesPerSecond: rate) == .unknownRate)
        }
        let tiny = sampler.selection(frameCount: 90, framesPerSecond: .leastNonzeroMagnitude)
        #expect(tiny == sampler.selection(frameCount: 90, framesPerSecond: 1))
    }
}
