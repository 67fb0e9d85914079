import Foundation
import Jobs
import RemoteInference
import Testing

@testable import RewardDaemon

@Suite("The settings of remote engines")
struct RemoteEngineSettingTests {
    private func make(
        _ text: String,
        environment: [String: String] = [:]
    ) throws -> DaemonConfiguration {
        try DaemonConfiguration(
            layers: [.environment(environment), .parse(text, name: "rewardd.conf")],
            environment: environment,
            processorCount: 2,
            memoryBytes: 8 << 30
        )
    }

    @Test("are lines of the file, or one list, and no model of one's own is needed")
    func values() throws {
        let engines = try make(
            """
            engine.reward.url = http://gpu-1:8000/v1/
            engine.reward.served-model = UnifiedReward-qwen-7b
            engine.reward.revision = 2026-11-01
            engine.reward.concurrency = 64
            engine.reward.timeout = 5m
            engine.reward.retries = 0
            engine.reward.api-key-file = /etc/rewardd/key
            engine.reward.ca-file = /etc/rewardd/ca.pem
            engine.reward.files = /srv/models/UnifiedReward-qwen-7b
            engine.reward.prefill = no
            engine.reward.pictures = yes
            engine.other.v2.url = https://other/v1
            """
        ).remoteEngines
        #expect(engines.map(\.name) == ["reward", "other.v2"])
        var wanted = RemoteEngineOptions(name: "reward", url: try ServerURL("http://gpu-1:8000/v1"))
        wanted.servedModel = "UnifiedReward-qwen-7b"
        wanted.revision = "2026-11-01"
        wanted.concurrency = 64
        wanted.timeout = .seconds(300)
        wanted.retries = 0
        wanted.apiKeyFile = "/etc/rewardd/key"
        wanted.authorityFile = "/etc/rewardd/ca.pem"
        wanted.files = "/srv/models/UnifiedReward-qwen-7b"
        wanted.prefill = .no
        wanted.pictures = .yes
        #expect(engines[0] == wanted)
        #expect(
            engines[1]
                == RemoteEngineOptions(name: "other.v2", url: try ServerURL("https://other/v1"))
        )
        let listed = try make(
            "",
            environment: ["REWARDD_ENGINES": "a.url=http://h:1/v1, a.retries=3"]
        )
        #expect(listed.remoteEngines.map(\.retries) == [3] && listed.models.isEmpty)
    }

    @Test(
        "are refused with the place, what was expected and what was found",
        arguments: [
            ("url = gpu:8000", "engines: a.url: expected a URL such as http://host:8000/v1"),
            ("retries = 1", "engines: a.url: expected a URL"),
            ("url = http://h/v1\nretries = 11", "a.retries: expected a whole number"),
            ("url = http://h/v1\ntimeout = 2h", "a.timeout: expected a duration"),
            ("url = http://h/v1\nprefill = maybe", "a.prefill: expected auto, yes or no"),
            ("url = http://h/v1\nurl = http://h/v1", "a.url: expected each option once"),
            ("url = http://h/v1\nrevision =", "a.revision: expected a value"),
            ("speed = 1", "a: expected one of url, served-model, revision"),
            ("url = http://h/v1,b", "rewardd.conf:1: engine.a.url: expected a value without"),
        ]
    )
    func options(text: String, expected: String) {
        refuses(text.split(separator: "\n").map { "engine.a.\($0)" }, expected)
    }

    @Test("are refused for names that cannot be")
    func names() {
        refuses(["engine.url = http://h/v1"], "expected NAME.OPTION=VALUE")
        refuses(["engine.train/a.url = http://h/v1"], "does not start with \"train/\"")
        let engine = "engine.a.url = http://h/v1"
        refuses(["model.a = /m", engine], "expected a name that no model has")
        refuses([engine, "model.a.precision = int8"], "name of a configured model")
    }

    private func refuses(_ lines: [String], _ expected: String) {
        let text = lines.joined(separator: "\n")
        let error = #expect(throws: ConfigurationError.self) { try make(text) }
        #expect(error?.description.contains(expected) == true, "\(String(describing: error))")
    }

    @Test("never repeat what may be a secret in the wrong place")
    func secrets() throws {
        for text in [
            "engine.a.api-key = sk-4711",
            "engine.a.url = http://h/v1\nengine.a.api-key-file = sk-4711",
            "engine.a.url = http://user:sk-4711@h/v1",
        ] {
            let error = #expect(throws: ConfigurationError.self) { try make(text) }
            #expect(error?.description.contains("sk-4711") == false, "\(text)")
            #expect(error?.description.contains("key") == true, "\(String(describing: error))")
        }
    }

    @Test("are checked against this machine before the daemon starts")
    func check() throws {
        let key = FileManager.default.temporaryDirectory
            .appending(path: "rewardd-key-\(UUID().uuidString)").path
        let text = """
            engine.a.url = http://127.0.0.1:1/v1
            engine.a.api-key-file = \(key)
            engine.b.url = https://127.0.0.1:1/v1
            engine.b.ca-file = /nonexistent/ca.pem
            engine.c.url = http://127.0.0.1:1/v1
            engine.c.files = /nonexistent/model
            """
        let problems = ConfigurationCheck.problems(of: try make(text))
        #expect(problems.contains { $0.contains("engine \"a\": api-key-file: \(key): expected") })
        #expect(problems.contains { $0.contains("engine \"b\": ca-file: /nonexistent/ca.pem") })
        #expect(problems.contains { $0.contains("engine \"c\": files: /nonexistent/model") })
        try Data("sk-4711\n".utf8).write(to: URL(filePath: key))
        defer { try? FileManager.default.removeItem(atPath: key) }
        let left = ConfigurationCheck.problems(of: try make(text))
        #expect(!left.contains { $0.contains("engine \"a\"") || $0.contains("sk-4711") })
    }

    @Test("a server that takes no question costs no attempt, whatever it says")
    func outage() {
        for fault in [
            RemoteFault(.unreachable, "gone"), RemoteFault(.busy, "gone"),
            RemoteFault(.busy, "gone", retryAfter: .seconds(90)),
        ] {
            guard case .release(let reason) = FailurePolicy.outcome(of: fault, attempt: 5) else {
                Issue.record("\(fault.kind) is no release")
                continue
            }
            #expect(reason == "gone")
        }
    }

    @Test("a server's fault is a reason to try the shard again, later when it asks for that")
    func policy() {
        func wait(_ fault: RemoteFault) -> Duration? {
            let outcome = FailurePolicy.outcome(of: fault, attempt: 2)
            guard case .retry(reason: let reason, after: let after) = outcome else { return nil }
            #expect(reason == "gone")
            return after
        }
        #expect(wait(RemoteFault(.interrupted, "gone")) == .seconds(4))
        #expect(wait(RemoteFault(.refused, "gone")) == .seconds(4))
        func failed(_ seconds: Int) -> RemoteFault {
            RemoteFault(.serverError, "gone", retryAfter: .seconds(seconds))
        }
        #expect(wait(failed(90)) == .seconds(90))
        #expect(wait(failed(86400)) == .seconds(3600))
    }
}
