internal import TensorKernels

/// What `MatmulBenchmark` measured, as a table and as JSON.
struct MatmulReport {
    /// One shape in one precision on some threads.
    struct Cell {
        let shape: MatmulBenchmark.Shape
        let type: PanelType
        let threads: Int
        /// GFLOP/s of the samples, ascending.
        let rates: [Double]
        /// GFLOP/s of the multiply-add loop between the samples, ascending.
        let peaks: [Double]
        let weightBytes: Int

        var median: Double { rates[rates.count / 2] }
        var peak: Double { peaks[peaks.count / 2] }
        /// Median over median, in percent.
        var percentOfPeak: Double { 100 * median / peak }
        /// GB/s of weights read, if each product reads them once.
        var weightRate: Double {
            let flops = 2 * Double(shape.rows) * Double(shape.inputs) * Double(shape.outputs)
            return median * Double(weightBytes) / flops
        }
    }

    let cells: [Cell]
    /// What the products and the multiply-add loop ran with.
    let kernels: KernelSet
    /// GB/s read from memory, by number of threads.
    let readRates: [Int: Double]

    /// One line per cell.
    var text: String {
        var lines = ["kernels: \(kernels.name)"]
        lines += readRates.sorted { $0.key < $1.key }.map {
            "memory read, \($0.key) threads: \(decimal($0.value)) GB/s"
        }
        lines.append(
            row(
                "layer",
                "rows × inputs × outputs",
                "type",
                "threads",
                "GFLOP/s",
                "spread",
                "peak",
                "of peak",
                "GB/s"
            )
        )
        for cell in cells {
            lines.append(
                row(
                    cell.shape.name,
                    "\(cell.shape.rows) × \(cell.shape.inputs) × \(cell.shape.outputs)",
                    cell.type.rawValue,
                    "\(cell.threads)",
                    decimal(cell.median),
                    "\(decimal(cell.rates.first ?? 0))–\(decimal(cell.rates.last ?? 0))",
                    decimal(cell.peak),
                    "\(decimal(cell.percentOfPeak)) %",
                    decimal(cell.weightRate)
                )
            )
        }
        return lines.joined(separator: "\n")
    }

    /// `{"kernels": …, "read_gb_per_s": {"2": …}, "cells": [{…}]}`.
    var json: String {
        let rates = readRates.sorted { $0.key < $1.key }
            .map { "\"\($0.key)\": \(decimal($0.value))" }.joined(separator: ", ")
        let cells = cells.map { cell in
            """
            {"layer": "\(cell.shape.name)", "rows": \(cell.shape.rows), \
            "inputs": \(cell.shape.inputs), "outputs": \(cell.shape.outputs), \
            "type": "\(cell.type.rawValue)", "threads": \(cell.threads), \
            "gflops": \(decimal(cell.median)), "gflops_min": \(decimal(cell.rates.first ?? 0)), \
            "gflops_max": \(decimal(cell.rates.last ?? 0)), "peak_gflops": \(decimal(cell.peak)), \
            "percent_of_peak": \(decimal(cell.percentOfPeak)), \
            "weight_gb_per_s": \(decimal(cell.weightRate))}
            """
        }
        return """
            {"kernels": "\(kernels.name)", "read_gb_per_s": {\(rates)}, \
            "cells": [\(cells.joined(separator: ", "))]}
            """
    }

    private func row(_ columns: String...) -> String {
        let widths = [26, 25, 6, 9, 9, 15, 8, 9, 6]
        return zip(columns, widths).enumerated().map { index, column in
            let space = String(repeating: " ", count: max(1, column.1 - column.0.count))
            return index < 3 ? column.0 + space : space + column.0
        }.joined()
    }

    private func decimal(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(abs(tenths % 10))"
    }
}
