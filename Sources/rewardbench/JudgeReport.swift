import Accuracy
import Inference
import JSONReading
import TensorKernels

/// What `rewardbench judge` measured: both ways of judging in every repeat, and writing.
struct JudgeReport {
    /// Tokens a second written by one sequence alone and by several together.
    struct Writing {
        let sequences: Int
        let one: Double
        let all: Double
    }

    let model: String
    /// What was judged and how, by name.
    let settings: [(String, String)]
    let precision: WeightPrecision
    let threads: Int
    var writing: Writing?
    private var alone: [Double] = []
    private var together: [Double] = []
    private var judgements = 0
    /// Whether both ways gave equal bits in every repeat.
    private(set) var areEqual = true

    init(
        model: String,
        settings: [(String, String)],
        precision: WeightPrecision,
        threads: Int
    ) {
        self.model = model
        self.settings = settings
        self.precision = precision
        self.threads = threads
    }

    /// Adds one repeat: the same items judged both ways.
    mutating func add(alone: JudgingSpeed.Measurement, together: JudgingSpeed.Measurement) {
        self.alone.append(hourly(alone))
        self.together.append(hourly(together))
        judgements += alone.judgements
        areEqual = areEqual && together.ledger.hasAnswers(of: alone.ledger)
    }

    private func hourly(_ measured: JudgingSpeed.Measurement) -> Double {
        Double(measured.judgements) / measured.seconds * 3600
    }

    /// Together to one by one, of each repeat.
    private var ratios: [Double] { zip(together, alone).map { $0 / $1 } }

    var text: String {
        let settings = settings.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        var text = """
            judge \(model), \(precision.rawValue), \(threads) threads, \(settings); \(KernelSet.description)
            one by one, no caches  \(line(alone)) judgements an hour
            together, with caches  \(line(together)) judgements an hour
            ratio \(decimal(median(ratios))), \(areEqual ? "bits equal" : "BITS DIFFER") \
            (\(judgements) judgements each way)

            """
        if let writing {
            text += """
                decode, 1 sequence     \(decimal(writing.one)) tokens/s
                decode, \(writing.sequences) sequences   \(decimal(writing.all)) tokens/s, \
                ratio \(decimal(writing.all / writing.one))

                """
        }
        return text
    }

    var json: String {
        let settings = settings.map { name, value in
            "\"\(name)\": " + (Int(value) == nil ? JSONNode.string(value).json : value) + ", "
        }.joined()
        var json = """
            {"measure": "judge", "model": \(JSONNode.string(model).json), "precision": "\(precision.rawValue)", \
            "threads": \(threads), \(settings)"kernels": "\(KernelSet.chosen.name)", \
            "repeats": \(alone.count), "judgements": \(judgements), \
            \(fields("one_by_one", alone)), \(fields("together", together)), \
            "ratio": \(decimal(median(ratios))), "bits_equal": \(areEqual)
            """
        if let writing {
            json += """
                , "sequences": \(writing.sequences), \
                "decode_one_tokens_per_second": \(decimal(writing.one)), \
                "decode_all_tokens_per_second": \(decimal(writing.all))
                """
        }
        return json + "}\n"
    }

    private func fields(_ name: String, _ rates: [Double]) -> String {
        let name = "\(name)_judgements_per_hour"
        return """
            "\(name)": \(whole(median(rates))), "\(name)_low": \(whole(rates.min() ?? 0)), \
            "\(name)_high": \(whole(rates.max() ?? 0))
            """
    }

    private func line(_ rates: [Double]) -> String {
        let spread =
            rates.count == 1 ? "" : " (\(whole(rates.min() ?? 0))–\(whole(rates.max() ?? 0)))"
        return whole(median(rates)) + spread
    }

    private func median(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.sorted()[values.count / 2]
    }

    private func whole(_ value: Double) -> String { "\(Int(value.rounded()))" }

    private func decimal(_ value: Double) -> String {
        value.isFinite ? "\((value * 100).rounded() / 100)" : "null"
    }
}
