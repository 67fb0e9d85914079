import ArgumentParsing
import TensorKernels

/// `rewardbench matmul`: the matrix product at the shapes of the models.
enum MatmulCommand {
    static let spec = CommandSpec(
        "matmul",
        overview: "Measure the matrix product at the shapes of the models.",
        discussion: """
            Samples of the product alternate with samples of a bare multiply-add loop, so that a busy \
            neighbour slows both: the percentage compares medians of the same minutes. Both run with \
            the kernels that 'rewardbench --version' names; REWARDD_KERNELS chooses others.
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
                "precision",
                value: "name",
                "How the weights are held. May be repeated.",
                defaultText: "f32, bf16, int8 and int4",
                values: PanelType.allCases.map(\.rawValue),
                repeatable: true
            ),
            .option(
                "shape",
                value: "rows,inputs,outputs",
                "A product to measure instead of the models' own. May be repeated.",
                format: ValueFormat(
                    expectation: "three whole numbers from 1 to 1000000, such as 512,896,4864"
                ) { numbers($0) != nil },
                repeatable: true
            ),
            .option(
                "repeats",
                value: "n",
                "Samples of each product.",
                default: "9",
                format: .int(1...10_000)
            ),
            .flag("json", "Print one JSON document instead of a table."),
        ],
        examples: ["rewardbench matmul --threads 1 --precision int8 --shape 1024,896,4864"]
    )

    static func run(_ arguments: ParsedArguments) throws -> ExitCode {
        var benchmark = MatmulBenchmark()
        let threads = arguments.texts("threads").compactMap { Int($0) }
        if !threads.isEmpty { benchmark.options.threads = threads }
        let types = arguments.texts("precision").compactMap { PanelType(rawValue: $0) }
        if !types.isEmpty { benchmark.options.types = types }
        let shapes = arguments.texts("shape").compactMap(numbers).map {
            MatmulBenchmark.Shape(name: "given", rows: $0[0], inputs: $0[1], outputs: $0[2])
        }
        if !shapes.isEmpty { benchmark.options.shapes = shapes }
        benchmark.options.repeats = try arguments.int("repeats") ?? 9
        let report = benchmark.run()
        ConsoleText.output((arguments.flag("json") ? report.json : report.text) + "\n")
        return .success
    }

    private static func numbers(_ text: String) -> [Int]? {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 3 else { return nil }
        let valid = numbers.compactMap { $0 }.filter { (1...1_000_000).contains($0) }
        return valid.count == 3 ? valid : nil
    }
}
