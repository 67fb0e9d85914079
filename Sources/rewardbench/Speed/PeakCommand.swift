import ArgumentParsing
import TensorKernels

/// `rewardbench peak`: what this machine can do at best, which every other rate is set against.
enum PeakCommand {
    static let spec = CommandSpec(
        "peak",
        overview: "Measure what this machine can do at best.",
        discussion: """
            Fused multiply-adds in f32 and products of bytes from registers alone, with the kernels that \
            'rewardbench --version' names, and reading 256 MiB of memory. Medians of the repeats.
            """,
        options: [
            .option(
                "threads",
                value: "n",
                "Compute threads. May be repeated.",
                defaultText: "1 and 2",
                format: .int(1...512),
                repeatable: true
            ),
            .option(
                "repeats",
                value: "n",
                "Samples of each limit.",
                default: "9",
                format: .int(1...1000)
            ),
            .flag("json", "Print one JSON document instead of text."),
        ],
        examples: ["rewardbench peak --threads 2 --json"]
    )

    static func run(_ arguments: ParsedArguments) throws -> ExitCode {
        let given = arguments.texts("threads").compactMap { Int($0) }
        let repeats = try arguments.int("repeats") ?? 9
        var lines: [String] = []
        var objects: [String] = []
        for threads in given.isEmpty ? [1, 2] : given {
            let pool = ComputeThreadPool(threads: threads, name: "bench")
            let floats = median(repeats) {
                PeakBenchmark.multiplyAddRate(pool: pool, seconds: 0.05)
            }
            let bytes = median(repeats) { PeakBenchmark.dotRate(pool: pool, seconds: 0.05) }
            let memory = median(repeats) { PeakBenchmark.readRate(pool: pool) }
            lines.append(
                "\(pool.threadCount) threads: multiply-adds \(Int(floats)) GFLOP/s, products of bytes "
                    + "\(Int(bytes)) GOP/s, memory read \(tenths(memory)) GB/s"
            )
            objects.append(
                "{\"threads\": \(pool.threadCount), \"multiply_add_gflops\": \(tenths(floats)), "
                    + "\"dot_gops\": \(tenths(bytes)), \"read_gb_per_s\": \(tenths(memory))}"
            )
        }
        ConsoleText.output(
            arguments.flag("json")
                ? "{\"kernels\": \"\(KernelSet.chosen.name)\", \"dot_kernels\": "
                    + "\"\(DotKernelSet.best(for: .chosen).name)\", \"limits\": "
                    + "[\(objects.joined(separator: ", "))]}\n"
                : "\(KernelSet.description)\n\(lines.joined(separator: "\n"))\n"
        )
        return .success
    }

    private static func median(_ repeats: Int, _ measure: () -> Double) -> Double {
        (0..<repeats).map { _ in measure() }.sorted()[repeats / 2]
    }

    private static func tenths(_ value: Double) -> String {
        let whole = Int((value * 10).rounded())
        return "\(whole / 10).\(whole % 10)"
    }
}
