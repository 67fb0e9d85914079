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
    guard rows > 0 else { return }
    precondition(
        firstPosition >= 0 && firstPosition + rows <= table.positions,
        "applyRotary: expected positions below \(table.positions), "
            + "got \(firstPosition)…\(firstPosition + rows - 1)"
    )
    let half = table.headDimension / 2
    let size = max(1, (16 << 10) / (heads * table.headDimension))
    table.cosines.withUnsafeBufferPointer { cosines in
        table.sines.withUnsafeBufferPointer { sines in
            guard let cosines = cosines.baseAddress, let sines = sines.baseAddress else { return }
            pool.run(count: (rows + size - 1) / size) { block, _ in
                for row in (block * size)..<min((block + 1) * size, rows) {
                    let angle = (firstPosition + row) * half
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

/// The angles of some rows, borrowed: cosine and sine of every frequency.
package struct RotaryAngles {
    /// [rows, headDimension / 2].
    package let cosines: UnsafePointer<Float>
    /// [rows, headDimension / 2].
    package let sines: UnsafePointer<Float>

    /// Borrows angles that somebody keeps.
    package init(cosines: UnsafePointer<Float>, sines: UnsafePointer<Float>) {
        self.cosines = cosines
        self.sines = sines
    }
}

extension RotaryTable {
    /// Copies the angles of positions `first ..< first + rows`, each [rows, headDimension / 2].
    package func copy(
        first: Int,
        rows: Int,
        cosines: UnsafeMutablePointer<Float>,
        sines: UnsafeMutablePointer<Float>
    ) {
        precondition(
            first >= 0 && rows >= 0 && first + rows <= positions,
            "RotaryTable: expected positions below \(positions), got \(first)…\(first + rows - 1)"
        )
        let half = headDimension / 2
        self.cosines.withUnsafeBufferPointer { table in
            guard let base = table.baseAddress else { return }
            cosines.update(from: base + first * half, count: rows * half)
        }
        self.sines.withUnsafeBufferPointer { table in
            guard let base = table.baseAddress else { return }
            sines.update(from: base + first * half, count: rows * half)
        }
    }
}

/// The frequencies of a rotary embedding, for rows that stand anywhere: on several axes, or far apart.
///
/// The arithmetic is that of ``RotaryTable``, so a position has the same bits by either.
package struct RotaryFrequencies: Sendable {
    /// 1 / theta^(2i/d), [headDimension / 2].
    package let values: [Float]

    /// Computes the frequencies of heads of an even dimension.
    package init(headDimension: Int, theta: Float) {
        precondition(headDimension > 0 && headDimension % 2 == 0, "an even head dimension")
        values = (0..<headDimension / 2).map { index in
            let exponent = Float(2 * index) / Float(headDimension)
            return 1 / Float(pow(Double(theta), Double(exponent)))
        }
    }

    /// Cosine and sine of frequency `index` at `position`: those of f64, rounded, of an f32 angle.
    package func angle(_ index: Int, position: Int) -> (cosine: Float, sine: Float) {
        let angle = Double(Float(position) * values[index])
        return (Float(cos(angle)), Float(sin(angle)))
    }
}

/// As ``applyRotary(_:rows:heads:table:firstPosition:pool:)``, with the angles of every row given.
///
/// x [rows, heads · headDimension].
package func applyRotary(
    _ x: UnsafeMutablePointer<Float>,
    rows: Int,
    heads: Int,
    headDimension: Int,
    angles: RotaryAngles,
    pool: ComputeThreadPool
) {
    guard rows > 0 else { return }
    precondition(headDimension % 2 == 0, "applyRotary: expected an even head dimension")
    let half = headDimension / 2
    let size = max(1, (16 << 10) / (heads * headDimension))
    let (cosines, sines) = (angles.cosines, angles.sines)
    pool.run(count: (rows + size - 1) / size) { block, _ in
        for row in (block * size)..<min((block + 1) * size, rows) {
            for head in 0..<heads {
                rotate(
                    x + (row * heads + head) * headDimension,
                    half: half,
                    cosines + row * half,
                    sines + row * half
                )
            }
        }
    }
}
