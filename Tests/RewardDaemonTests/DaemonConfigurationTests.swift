import Foundation
import RewardDaemon
import TensorKernels
import Testing

@Suite("The daemon's settings")
struct DaemonConfigurationTests {
    private func make(
        _ text: String,
        environment: [String: String] = [:],
        options: [ConfigurationKey: String] = [:]
    ) throws -> DaemonConfiguration {
        let flags = ConfigurationSource(
            values: options.mapValues { .init(text: $0, origin: "option") }
        )
        return try DaemonConfiguration(
            layers: [
                flags, .environment(environment),
                .parse("model.tiny = /models/tiny\n" + text, name: "rewardd.conf"),
            ],
            environment: environment,
            processorCount: 2,
            memoryBytes: 8 << 30
        )
    }

    @Test("option beats environment beats file beats default")
    func precedence() throws {
        #expect(try make("").slots == 2)
        #expect(try make("slots = 3").slots == 3)
        #expect(try make("slots = 3", environment: ["REWARDD_SLOTS": "4"]).slots == 4)
        let all = try make(
            "slots = 3",
            environment: ["REWARDD_SLOTS": "4"],
            options: [.slots: "5"]
        )
        #expect(all.slots == 5)
        #expect(all.origins.first { $0.key == .slots }?.origin == "option")
    }

    @Test("reads models, queues, sizes and durations")
    func values() throws {
        let configuration = try make(
            """
            # a comment
            model.big = /models/big
            queues = default, night
            vision-cache.limit = 1GiB
            kv-cache.limit = 2GiB
            items = 7
            poll.interval = 500ms
            clip.convention = transformers5
            grace = 2m
            media.roots = /tmp
            """
        )
        #expect(configuration.models.map(\.name) == ["tiny", "big"])
        #expect(configuration.queues == ["default", "night"])
        #expect(configuration.visionCacheLimitBytes == 1 << 30)
        #expect(configuration.keyValueCacheLimitBytes == 2 << 30)
        #expect(configuration.itemsAtOnce == 7)
        #expect(configuration.pollInterval == .milliseconds(500))
        #expect(configuration.grace == .seconds(120))
        #expect("\(configuration.clipConvention)" == "transformers5")
        #expect(configuration.memoryLimitBytes == (8 << 30) / 4 * 3)
        #expect(configuration.mediaRoots == ["/tmp"])
    }

    @Test("has a precision for all models, and one for a single model where it is named")
    func precisions() throws {
        let plain = try make("")
        #expect(plain.precision == .stored && plain.precisions.isEmpty)
        let own = try make(
            """
            precision = int8
            model.tiny.precision = f32
            model.big = /models/big
            model.big.precision = int4
            """
        )
        #expect(own.precision == .int8)
        #expect(own.models.map(\.name) == ["tiny", "big"])
        #expect(own.precisions == ["tiny": .float32, "big": .int4])
        let listed = try make("precisions = tiny=int4", environment: ["REWARDD_PRECISION": "bf16"])
        #expect(listed.precision == .bfloat16 && listed.precisions == ["tiny": .int4])
    }

    @Test(
        "refuses bad values with the place, what was expected and what was found",
        arguments: [
            ("slots = ten", "rewardd.conf:2: slots: expected a whole number from 1 to 256"),
            ("slots = 0", "rewardd.conf:2: slots: expected a whole number"),
            ("slots = 1\nslots = 2", "rewardd.conf:3: expected each key once"),
            ("no equals sign", "rewardd.conf:2: expected 'key = value' or a comment"),
            ("slot = 1", "rewardd.conf:2: expected a known key, got \"slot\""),
            ("grace = 5 years", "rewardd.conf:2: grace: expected a duration"),
            ("grace = -5s", "expected a duration"),
            ("vision-cache.limit = 99999999999GiB", "expected a size"),
            ("media.roots = relative/path", "expected existing absolute directories"),
            (
                "precision = int2",
                "rewardd.conf:2: precision: expected stored, f32, bf16, int8, int4"
            ),
            ("model.tiny.precision = 8", "rewardd.conf:2: precisions: tiny: expected stored, f32"),
            ("model.big.precision = int8", "expected the name of a configured model, got \"big\""),
            ("precisions = int8", "expected name=precision, got \"int8\""),
            ("model.tiny = /other", "expected each model name once"),
            ("model.train/x = /x", "expected a model name that does not start with \"train/\""),
            ("model.sample/x = /x", "expected a model name that does not start with \"sample/\""),
            ("training.directory = models", "rewardd.conf:2: expected an existing absolute"),
            ("training.threads = -1", "training.threads: expected a whole number from 0 to 1024"),
            ("training.memory-limit = much", "training.memory-limit: expected a size"),
            ("clip.convention = vllm", "expected transformers4 or transformers5, got \"vllm\""),
            ("log.level = loud", "expected debug, info, notice, warning or error"),
            ("queues =", "expected comma-separated names"),
        ]
    )
    func refusals(text: String, expected: String) {
        let error = #expect(throws: ConfigurationError.self) { try make(text) }
        #expect(error?.description.contains(expected) == true, "\(String(describing: error))")
    }

    @Test("trains only where a directory is set, with the threads of an engine unless told")
    func training() throws {
        #expect(try make("training.threads = 3").training == nil)
        let plain = try #require(try make("threads = 5\ntraining.directory = /tmp/").training)
        #expect(plain.directory == "/tmp" && plain.threads == 5)
        #expect(plain.memoryLimitBytes == nil)
        let own = try #require(
            try make(
                """
                training.directory = /tmp
                training.threads = 1
                training.memory-limit = 2GiB
                """
            ).training
        )
        #expect(own.threads == 1 && own.memoryLimitBytes == 2 << 30)
    }

    @Test("refuses a misspelt environment variable instead of ignoring it")
    func misspelt() {
        let error = #expect(throws: ConfigurationError.self) {
            try make("", environment: ["REWARDD_SLOT": "4"])
        }
        #expect(error?.description.hasPrefix("REWARDD_SLOT: ") == true)
    }

    @Test("the variable that chooses the kernels is no setting")
    func kernels() throws {
        let source = try ConfigurationSource.environment(["REWARDD_KERNELS": "x86-64-v3"])
        #expect(source.values.isEmpty)
    }

    @Test("no model at all is refused with the way to name one")
    func noModel() {
        let error = #expect(throws: ConfigurationError.self) {
            try DaemonConfiguration(
                layers: [],
                environment: [:],
                processorCount: 1,
                memoryBytes: 1 << 30
            )
        }
        #expect(error?.description.contains("model.NAME = DIRECTORY") == true)
    }

    @Test("the example file names every key and nothing else, with the true defaults")
    func exampleFile() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../deploy/rewardd.conf.example").path
        let text = try String(contentsOfFile: path, encoding: .utf8)
        for key in ConfigurationKey.allCases where key != .models {
            #expect(
                text.contains("\n#\(key.rawValue) = \(key.defaultValue)".trimmingSuffixSpace()),
                "\(key.rawValue)"
            )
        }
        let uncommented = text.split(separator: "\n").map {
            $0.hasPrefix("#") && !$0.hasPrefix("# ") ? String($0.dropFirst()) : String($0)
        }
        let settings = uncommented.filter { !$0.hasSuffix("=") && !$0.hasSuffix("= ") }
        _ = try ConfigurationSource.parse(settings.joined(separator: "\n"), name: "example")
    }

    @Test("random text never crashes the parser")
    func fuzz() {
        let alphabet = Array("model.=abc#\n 09-_:,/\u{0}é")
        for seed in UInt64(1)...2000 {
            var random = SplitMix(state: seed)
            let count = Int(random.next() % 80)
            let text = String(
                (0..<count).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }
            )
            _ = try? make(text)
        }
    }
}

extension String {
    fileprivate func trimmingSuffixSpace() -> String {
        hasSuffix(" ") ? String(dropLast()) : self
    }
}
