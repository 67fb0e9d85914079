import Foundation
import Inference
import Testing
import Tokenization

@testable import RewardDaemon

@Suite("Scripted answers")
struct ScriptedEngineTests {
    private func configuration(_ environment: [String: String]) throws -> DaemonConfiguration {
        try DaemonConfiguration(
            layers: [
                .environment(environment), .parse("model.chaos = scripted", name: "rewardd.conf"),
            ],
            environment: environment,
            processorCount: 2,
            memoryBytes: 8 << 30
        )
    }

    @Test("are refused unless the environment allows them")
    func refused() throws {
        let plain = try configuration([:])
        #expect(plain.scriptedEngine == nil)
        let problems = ConfigurationCheck.problems(of: plain)
        #expect(problems.contains { $0.contains("\"chaos\"") && $0.contains("REWARDD_SCRIPTED") })
        let allowed = try configuration(["REWARDD_SCRIPTED_ENGINE": "5ms"])
        #expect(allowed.scriptedEngine == ScriptedEngineSetting(delay: .milliseconds(5)))
        #expect(!ConfigurationCheck.problems(of: allowed).contains { $0.contains("chaos") })
    }

    @Test("no option and no file can allow them")
    func onlyEnvironment() {
        #expect(throws: ConfigurationError.self) {
            _ = try ConfigurationSource.parse("scripted.engine = 5ms", name: "rewardd.conf")
        }
    }

    @Test("the variable says a delay and perhaps a journal, nothing else")
    func form() throws {
        let variable = ScriptedEngineSetting.environmentVariable
        #expect(
            try ScriptedEngineSetting(environment: [variable: "0ms,/tmp/a,b"])
                == ScriptedEngineSetting(delay: .zero, journal: "/tmp/a,b")
        )
        #expect(try ScriptedEngineSetting(environment: [variable: ""]) == nil)
        for text in ["1", "5s", "-1ms", "ms", "5ms,", "99999ms", "yes"] {
            #expect(throws: ConfigurationError.self) {
                _ = try ScriptedEngineSetting(environment: [variable: text])
            }
        }
    }

    @Test("follow from the question alone and are journaled")
    func answers() async throws {
        let journal = FileManager.default.temporaryDirectory.path + "/journal-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: journal) }
        let engine = ScriptedAnswers(delay: .zero, journal: journal)
        let other = ScriptedAnswers(delay: .zero, journal: nil)
        func ask(_ engine: ScriptedAnswers, _ text: String) async throws -> [Double] {
            let prompt = EnginePrompt(content: [.text(text)])
            return try await engine.choose(ChooseRequest(prompt: prompt, choices: ["a", "b", "c"]))
                .probabilities
        }
        let first = try await ask(engine, "which")
        #expect(first.count == 3)
        #expect(abs(first.reduce(0, +) - 1) < 1e-12)
        #expect(try await ask(other, "which") == first)
        #expect(try await ask(engine, "who") != first)
        _ = try await ask(engine, "which")
        let lines = try String(contentsOfFile: journal, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0] == lines[2])
        #expect(lines[0] != lines[1])
        #expect(lines.allSatisfy { $0.utf8.count == 16 })
        await #expect(throws: InferenceError.self) {
            _ = try await engine.generate(
                GenerateRequest(prompt: EnginePrompt(content: [.text("x")]), maximumTokens: 1)
            )
        }
    }
}
