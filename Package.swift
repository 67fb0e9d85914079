// swift-tools-version: 6.2
import PackageDescription

// Targets and arrows, nothing else. Two columns that never import each other (compute: TensorKernels …
// PreferencePairs; storage: Postgres, Jobs) and one root that sees both (RewardDaemon). An import that is
// not declared here fails `swift build --explicit-target-dependency-import-check error`.

/// The least CPU is x86-64-v3 (AVX2, FMA, F16C): without the flag `addingProduct` becomes a call of
/// libm's fmaf, about four times slower. On arm64 the baseline already has fused multiply-add.
#if arch(x86_64)
    let processorFlags = ["-Xcc", "-march=x86-64-v3"]
    let wideProcessorFlags = ["-Xcc", "-march=x86-64-v4"]
    let dotProcessorFlags = wideProcessorFlags + ["-Xcc", "-mavx512vnni"]
#else
    let processorFlags: [String] = []
    let wideProcessorFlags: [String] = []
    let dotProcessorFlags: [String] = []
#endif

let language: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let settings = language + [.unsafeFlags(processorFlags)]

/// Kernels are optimised in every configuration, so that tests of a debug build stay quick.
let kernelSettings = settings + [.unsafeFlags(["-O"])]

/// Kernels for processors with AVX-512 (and with its VNNI), chosen at start. Nothing of them may be inlined into a module
/// that also runs on others (`-disable-cmo`), and none of their code may be shared with one by the
/// linker: `Tests/Support/check-wide-symbols` keeps that.
let wideKernelSettings =
    language + [.unsafeFlags(wideProcessorFlags + ["-O", "-disable-cmo"])]
let dotKernelSettings =
    language + [.unsafeFlags(dotProcessorFlags + ["-O", "-disable-cmo"])]

func module(
    _ name: String,
    _ dependencies: [Target.Dependency] = [],
    path: String? = nil,
    exclude: [String] = [],
    resources: [Resource]? = nil,
    settings: [SwiftSetting] = settings
) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        path: path,
        exclude: exclude,
        resources: resources,
        swiftSettings: settings
    )
}

func tests(
    _ name: String,
    _ dependencies: [Target.Dependency],
    exclude: [String] = []
) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies,
        exclude: exclude,
        swiftSettings: settings
    )
}

let package = Package(
    name: "rewardd",
    products: [
        .executable(name: "rewardd", targets: ["rewardd"]),
        .executable(name: "rewardctl", targets: ["rewardctl"]),
        .executable(name: "rewardbench", targets: ["rewardbench"]),
    ],
    dependencies: [],
    targets: [
        // System libraries and C shims.
        .systemLibrary(
            name: "CLibPQ",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"])]
        ),
        .systemLibrary(
            name: "CSystemd",
            pkgConfig: "libsystemd",
            providers: [.apt(["libsystemd-dev"])]
        ),
        .systemLibrary(name: "CIntrinsics"),
        .target(name: "CPlatform", cSettings: [.unsafeFlags(["-O2"])]),
        .target(name: "CLimitedProcess"),
        .target(name: "CMigrations"),

        // Leaves.
        module("Logging"),
        module("Threading", ["CPlatform"]),
        module("FailPoints"),
        module("ChildProcesses", ["CLimitedProcess"]),
        module("Hashing", ["CPlatform"], settings: kernelSettings),
        module("JSONReading", settings: kernelSettings),
        module("ArgumentParsing"),
        module("PNGWriting", settings: kernelSettings),
        module("SyntheticScenes", ["PNGWriting"], settings: kernelSettings),

        // Compute column.
        module("WideKernels", ["CIntrinsics"], settings: wideKernelSettings),
        module("DotKernels", ["CIntrinsics"], settings: dotKernelSettings),
        module(
            "TensorKernels",
            ["WideKernels", "DotKernels", "CIntrinsics", "CPlatform", "Threading"],
            settings: kernelSettings
        ),
        module(
            "Transformer",
            ["TensorKernels", "Hashing", "Logging"],
            settings: kernelSettings
        ),
        module("Tokenization", ["JSONReading"], settings: kernelSettings),
        module("VisionPreprocessing", settings: kernelSettings),
        module(
            "MediaDecoding",
            ["ChildProcesses", "CLimitedProcess", "VisionPreprocessing", "Hashing"]
        ),
        module(
            "Inference",
            [
                "Transformer", "TensorKernels", "Tokenization", "VisionPreprocessing", "Threading",
                "Hashing", "Logging",
            ],
            settings: kernelSettings
        ),
        module(
            "RemoteInference",
            [
                "Inference", "Tokenization", "VisionPreprocessing", "ChildProcesses", "Threading",
                "PNGWriting", "Hashing", "JSONReading", "Logging",
            ],
            settings: kernelSettings
        ),
        module(
            "RewardModeling",
            ["Inference", "Tokenization", "VisionPreprocessing", "Hashing"],
            resources: [.embedInCode("Prompts/builtin.json")]
        ),
        module("PreferencePairs", ["RewardModeling", "Inference", "Hashing"]),
        module(
            "PromptImport",
            ["RewardModeling", "Hashing"],
            resources: [.embedInCode("template_digests.json")]
        ),
        module(
            "Training",
            [
                "RewardModeling", "Inference", "Transformer", "TensorKernels", "Tokenization",
                "VisionPreprocessing", "Hashing", "JSONReading", "Logging", "Threading",
            ],
            settings: kernelSettings
        ),
        module(
            "Accuracy",
            [
                "PreferencePairs", "RewardModeling", "Inference", "SyntheticScenes",
                "VisionPreprocessing", "Hashing",
            ]
        ),

        // Storage column.
        module("Postgres", ["CLibPQ", "Threading", "Logging"]),
        module("Jobs", ["Postgres", "Logging", "FailPoints"]),
        module("Migrations", ["CMigrations"]),

        module("Staging", ["Postgres", "Migrations", "Threading"]),
        module(
            "QueueBenchmark",
            ["Staging", "Jobs", "Postgres", "Logging", "JSONReading"]
        ),
        module(
            "Chaos",
            ["Staging", "Postgres", "Threading", "JSONReading", "SyntheticScenes", "FailPoints"],
            resources: [
                .embedInCode("Audit/audit.sql"),
                .embedInCode("Audit/ledger.sql"),
                .embedInCode("Audit/snapshot.sql"),
                .embedInCode("Model/model_state.sql"),
            ]
        ),

        // The root and the executables.
        module(
            "RewardDaemon",
            [
                "Training", "PreferencePairs", "RewardModeling", "RemoteInference", "Inference",
                "MediaDecoding", "VisionPreprocessing", "Tokenization", "TensorKernels", "Hashing",
                "Jobs", "Postgres", "Logging", "Threading", "FailPoints", "CSystemd", "CPlatform",
            ]
        ),
        .executableTarget(
            name: "rewardd",
            dependencies: [
                "RewardDaemon", "ArgumentParsing", "Migrations", "Logging", "TensorKernels",
                "PromptImport", "RewardModeling", "Hashing",
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "rewardctl",
            dependencies: ["Postgres", "Migrations", "ArgumentParsing", "JSONReading", "Logging"],
            path: "ctl",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "rewardbench",
            dependencies: [
                "CIntrinsics", "WideKernels", "DotKernels", "TensorKernels", "Transformer",
                "Tokenization",
                "VisionPreprocessing", "MediaDecoding", "Inference", "Hashing", "ArgumentParsing",
                "Logging", "Accuracy", "Chaos", "Staging", "QueueBenchmark", "RewardModeling",
                "SyntheticScenes", "Training", "JSONReading",
            ],
            swiftSettings: settings
        ),

        // Tests. What they share (private cluster, databases, log capture) is TestSupport.
        module(
            "TestSupport",
            ["Postgres", "Migrations", "Logging", "Hashing", "JSONReading", "Threading"],
            path: "Tests/Support",
            exclude: ["check-wide-symbols", "private-cluster", "run-tests"]
        ),
        tests("HashingTests", ["Hashing"]),
        tests("JSONReadingTests", ["JSONReading"]),
        tests("LoggingTests", ["Logging", "TestSupport"]),
        tests("ThreadingTests", ["Threading"]),
        tests("FailPointsTests", ["FailPoints"]),
        tests("ChildProcessesTests", ["ChildProcesses"]),
        tests("ArgumentParsingTests", ["ArgumentParsing"]),
        tests("TensorKernelsTests", ["TensorKernels", "Threading"]),
        tests("TokenizationTests", ["Tokenization"]),
        tests("VisionPreprocessingTests", ["VisionPreprocessing"]),
        tests("MediaDecodingTests", ["MediaDecoding", "VisionPreprocessing"]),
        tests("TransformerTests", ["Transformer", "TensorKernels", "Hashing"]),
        tests(
            "InferenceTests",
            [
                "Inference", "Transformer", "TensorKernels", "Tokenization", "VisionPreprocessing",
                "MediaDecoding", "Hashing", "Logging", "Threading",
            ]
        ),
        tests(
            "RemoteInferenceTests",
            [
                "RemoteInference", "Inference", "Tokenization", "VisionPreprocessing",
                "MediaDecoding", "Hashing", "JSONReading", "Logging", "TestSupport",
            ]
        ),
        tests(
            "RewardModelingTests",
            [
                "RewardModeling", "Inference", "Tokenization", "VisionPreprocessing", "Hashing",
                "Logging",
            ]
        ),
        tests(
            "PreferencePairsTests",
            [
                "PreferencePairs", "RewardModeling", "Inference", "Tokenization",
                "VisionPreprocessing", "Hashing",
            ]
        ),
        tests("SyntheticScenesTests", ["SyntheticScenes"]),
        tests(
            "TrainingTests",
            [
                "Training", "RewardModeling", "Inference", "Transformer", "TensorKernels",
                "Tokenization", "VisionPreprocessing", "Hashing", "JSONReading", "Logging",
            ]
        ),
        tests(
            "AccuracyTests",
            ["Accuracy", "RewardModeling", "Inference", "Tokenization", "Hashing", "Logging"]
        ),
        tests(
            "RewardbenchTests",
            ["rewardbench", "RewardModeling", "SyntheticScenes", "Tokenization"]
        ),
        tests(
            "ChaosTests",
            [
                "Chaos", "Staging", "FailPoints", "rewardd", "rewardbench", "Postgres",
                "TestSupport",
            ]
        ),
        tests("QueueBenchmarkTests", ["QueueBenchmark", "rewardd", "rewardbench", "JSONReading"]),
        tests("PostgresTests", ["Postgres", "Threading", "Logging", "TestSupport"]),
        tests("MigrationsTests", ["Migrations", "Postgres", "Threading", "TestSupport"]),
        tests(
            "JobsTests",
            ["Jobs", "Chaos", "Postgres", "Migrations", "Hashing", "Logging", "TestSupport"]
        ),
        tests(
            "RewardDaemonTests",
            [
                "RewardDaemon", "RewardModeling", "RemoteInference", "Training", "Inference",
                "TensorKernels", "Tokenization", "MediaDecoding", "VisionPreprocessing", "Hashing",
                "FailPoints", "Jobs", "Postgres", "Logging", "TestSupport",
            ]
        ),
        tests(
            "RewardctlTests",
            [
                "rewardctl", "Postgres", "Migrations", "ArgumentParsing", "JSONReading",
                "TestSupport",
            ],
            exclude: ["read_trl.py"]
        ),
        tests(
            "EndToEndTests",
            ["rewardd", "rewardctl", "rewardbench", "Postgres", "Hashing", "TestSupport"]
        ),
        tests(
            "PromptImportTests",
            ["VisionPreprocessing", "PromptImport", "RewardModeling", "Hashing"]
        ),
        tests("TidyTests", []),
    ],
    swiftLanguageModes: [.v6]
)
