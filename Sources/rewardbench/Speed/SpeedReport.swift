internal import TensorKernels

/// What a speed benchmark measured: a rate, its spread, and the share of what the machine could do in the same
/// minutes.
struct SpeedReport {
    /// `prefill`, `decode` or `vision`.
    let measure: String
    /// Name of the shape.
    let shape: String
    let precision: WeightPrecision
    let threads: Int
    /// Further numbers that say what was done, by name.
    let settings: [(name: String, value: Int)]
    /// What is counted: `tokens` or `images`.
    let unit: String
    /// Units a second of each repeat, ascending.
    let rates: [Double]
    /// Name of the limit with its unit, its value in the same run, and what the median reached of it.
    let limit: (name: String, value: Double, reached: Double)
    /// Bytes of packed matrices that one pass reads.
    let matrixBytes: Int
    /// Seconds it took to make the weights and to pack them.
    let loadSeconds: Double

    var median: Double { rates[rates.count / 2] }
    /// Of the limit, 0…1.
    var fraction: Double { limit.reached / limit.value }

    var text: String {
        let settings = settings.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
        return """
            \(measure) \(shape), \(precision.rawValue), \(threads) threads, \(settings); \
            \(KernelSet.description)
            \(decimal(median)) \(unit)/s (\(decimal(rates.first ?? 0))–\(decimal(rates.last ?? 0)) in \
            \(rates.count) repeats)
            \(decimal(limit.reached)) of \(decimal(limit.value)) \(limit.name): \
            \(decimal(100 * fraction)) %
            matrices \(decimal(Double(matrixBytes) * 1e-6)) MB, made and packed in \
            \(decimal(loadSeconds)) s

            """
    }

    var json: String {
        let settings = settings.map { "\"\($0.name)\": \($0.value), " }.joined()
        return """
            {"measure": "\(measure)", "shape": "\(shape)", "precision": "\(precision.rawValue)", \
            "threads": \(threads), \(settings)"kernels": "\(KernelSet.chosen.name)", \
            "dot_kernels": "\(DotKernelSet.best(for: .chosen).name)", "repeats": \(rates.count), \
            "\(unit)_per_second": \(decimal(median)), \
            "\(unit)_per_second_low": \(decimal(rates.first ?? 0)), \
            "\(unit)_per_second_high": \(decimal(rates.last ?? 0)), \
            "limit": "\(limit.name)", "limit_value": \(decimal(limit.value)), \
            "reached": \(decimal(limit.reached)), "fraction_of_limit": \(thousandth(fraction)), \
            "matrix_bytes": \(matrixBytes)}

            """
    }

    /// Few images a second need more places than hundreds of tokens.
    private func decimal(_ value: Double) -> String {
        thousandth(value, digits: value.magnitude < 10 ? 3 : 1)
    }

    private func thousandth(_ value: Double, digits: Int = 3) -> String {
        guard value.isFinite else { return "0" }
        let scale = digits == 1 ? 10 : 1000
        let whole = Int((value.magnitude * Double(scale)).rounded())
        let fraction = String(whole % scale)
        let zeros = String(repeating: "0", count: digits - fraction.count)
        return "\(value < 0 ? "-" : "")\(whole / scale).\(zeros)\(fraction)"
    }
}
