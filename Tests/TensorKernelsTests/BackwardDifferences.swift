import Testing

/// Central differences in f64, against which the gradients of kernels are held.
enum BackwardDifferences {
    /// ∂f/∂x[i] for chosen numbers.
    static func slope(
        _ function: ([Double]) -> Double,
        at x: [Double],
        number: Int,
        step: Double = 1e-5
    ) -> Double {
        var moved = x
        moved[number] = x[number] + step
        let above = function(moved)
        moved[number] = x[number] - step
        return (above - function(moved)) / (2 * step)
    }

    /// Compares a kernel's gradient with differences, at `count` numbers drawn at random.
    ///
    /// - Parameters:
    ///   - function: the loss, in f64.
    ///   - bound: for |difference|, over the larger of 1 and |slope|.
    static func check(
        _ gradient: [Float],
        of function: ([Double]) -> Double,
        at x: [Float],
        count: Int,
        bound: Double,
        numbers: inout SeededNumbers,
        _ name: String
    ) {
        let x = x.map(Double.init)
        let chosen =
            x.count <= count
            ? Array(x.indices)
            : (0..<count).map { _ in x.indices.randomElement(using: &numbers) ?? 0 }
        for index in chosen {
            let slope = slope(function, at: x, number: index)
            let error = (Double(gradient[index]) - slope).magnitude
            #expect(
                error <= bound * max(1, slope.magnitude),
                "\(name)[\(index)]: \(gradient[index]), slope \(slope)"
            )
        }
    }

    /// Σ a · b.
    static func dot(_ a: [Double], _ b: [Float]) -> Double {
        var sum = 0.0
        for index in a.indices { sum += a[index] * Double(b[index]) }
        return sum
    }
}
