internal import Glibc

/// Cosines and sines of the rotary position embedding (Su et al. 2021) in the layout of `rotate_half`.
///
/// Frequency i is 1 / theta^(2i/d), rounded to f32 like every step of Qwen2RotaryEmbedding in
/// modeling_qwen2.py; its angle at a position is an f32 product.
package struct RotaryTable: Sendable {
    /// Numbers in one head, even.
    package let headDimension: Int
    /// Positions in the table.
    package let positions: Int

    /// [positions, headDimension / 2].
    fileprivate let cosines: [Float]
    fileprivate let sines: [Float]

    /// Computes the table; sines and cosines are those of f64, rounded.
    package init(headDimension: Int, theta: Float, positions: Int) {
        precondition(
            headDimension > 0 && headDimension % 2 == 0 && positions >= 0,
            "RotaryTable: expected an even head dimension, got \(headDimension)"
        )
        self.headDimension = headDimension
        self.positions = positions
        let half = headDimension / 2
        let frequencies = (0..<half).map { index -> Float in
            let exponent = Float(2 * index) / Float(headDimension)
            return 1 / Float(pow(Double(theta), Double(exponent)))
        }
        var cosines: [Float] = []
        var sines: [Float] = []
        cosines.reserveCapacity(positions * half)
        sines.reserveCapacity(positions * half)
        for position in 0..<positions {
            for frequency in frequencies {
                let angle = Double(Float(position) * frequency)
                cosines.append(Float(cos(angle)))
                sines.append(Float(sin(angle)))
            }
        }
        self.cosines = cosines
        self.sines = sines
    }
}

/// Rotates queries or keys in place: numbers i and i + d/2 of each head turn by the angle of frequency i.
///
/// x [rows, heads · headDimension]; row r stands at position firstPosition + r. Products are rounded
/// before they are added, as in the reference.
package func applyRotary(
    _ x: UnsafeMutablePointer<Float>,
    rows: Int,
    heads: Int,
    table: RotaryTable,
    firstPosition: Int,
    pool: ComputeThreadPool
) {
    applyRotary(x, rows: rows, heads: heads, table: table, pool: pool) { firstPosition + $0 }
}

/// The same for rows of several sequences: row r stands at positions[r].
package func applyRotary(
    _ x: UnsafeMutablePointer<Float>,
    rows: Int,
    heads: Int,
    table: RotaryTable,
    positions: UnsafePointer<Int32>,
    pool: ComputeThreadPool
) {
    applyRotary(x, rows: rows, heads: heads, table: table, pool: pool) { Int(positions[$0]) }
}

@inline(__always)
private func applyRotary(
    _ x: UnsafeMutablePointer<Float>,
    rows: Int,
    heads: Int,
    table: RotaryTable,
    pool: ComputeThreadPool,
    position: (_ row: Int) -> Int
) {
    guard rows > 0 else { return }
    let half = table.headDimension / 2
    let size = max(1, (16 << 10) / (heads * table.headDimension))
    table.cosines.withUnsafeBufferPointer { cosines in
        table.sines.withUnsafeBufferPointer { sines in
            guard let cosines = cosines.baseAddress, let sines = sines.baseAddress else { return }
            pool.run(count: (rows + size - 1) / size) { block, _ in
                for row in (block * size)..<min((block + 1) * size, rows) {
                    let position = position(row)
                    precondition(
                        position >= 0 && position < table.positions,
                        "applyRotary: expected positions below \(table.positions), got \(position)"
                    )
                    let angle = position * half
                    for head in 0..<heads {
                        rotate(
                            x + (row * heads + head) * table.headDimension,
                            half: half,
                            cosines + angle,
                            sines + angle
                        )
                    }
                }
            }
        }
    }
}

@inline(__always)
private func rotate(
    _ x: UnsafeMutablePointer<Float>,
    half: Int,
    _ cosines: UnsafePointer<Float>,
    _ sines: UnsafePointer<Float>
) {
    var index = 0
    while index + 8 <= half {
        let (a, b) = (load8(x + index), load8(x + half + index))
        let (c, s) = (load8(cosines + index), load8(sines + index))
        store8(a * c - b * s, into: x + index)
        store8(b * c + a * s, into: x + half + index)
        index += 8
    }
    while index < half {
        let (a, b) = (x[index], x[half + index])
        let (c, s) = (cosines[index], sines[index])
        x[index] = a * c - b * s
        x[half + index] = b * c + a * s
        index += 1
    }
}
