internal import Glibc

/// Cosines and sines of the rotary position embedding.
package struct RotaryTable: Sendable {
    package let headDimension: Int
    package let positions: Int
    let cosines: [Float]
    let sines: [Float]

    package init(headDimension: Int, theta: Float, positions: Int) {
        precondition(headDimension > 0 && headDimension % 2 == 0, "RotaryTable: odd head dimension")
        self.headDimension = headDimension
        self.positions = positions
        let half = headDimension / 2
        let frequencies = (0..<half).map { index -> Float in
            1 / Float(pow(Double(theta), Double(Float(2 * index) / Float(headDimension))))
        }
        var cosines = [Float](repeating: 0, count: positions * half)
        var sines = cosines
        for position in 0..<positions {
            for index in 0..<half {
                let angle = Double(Float(position) * frequencies[index])
                cosines[position * half + index] = Float(cos(angle))
                sines[position * half + index] = Float(sin(angle))
            }
        }
        self.cosines = cosines
        self.sines = sines
    }
}

/// Rotates queries or keys in place; x [rows, heads * headDimension].
package func applyRotary(
    _ x: UnsafeMutablePointer<Float>, rows: Int, heads: Int, table: RotaryTable,
    firstPosition: Int, pool: ComputeThreadPool
) {
    precondition(firstPosition >= 0 && firstPosition + rows <= table.positions)
    let half = table.headDimension / 2
    for row in 0..<rows {
        for head in 0..<heads {
            let x = x + (row * heads + head) * table.headDimension
            for i in 0..<half {
                let c = table.cosines[(firstPosition + row) * half + i]
                let s = table.sines[(firstPosition + row) * half + i]
                let a = x[i]
                let b = x[i + half]
                x[i] = a * c - b * s
                x[i + half] = b * c + a * s
            }
        }
    }
}
