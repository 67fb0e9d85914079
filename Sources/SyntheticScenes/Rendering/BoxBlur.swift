/// Three passes of a box in each direction, near enough to a Gaussian (Wells 1986, "Efficient
/// synthesis of Gaussian filters by cascaded uniform filters"). Only sums and products in a fixed
/// order, so that every machine gives the same bits.
struct BoxBlur {
    /// Weights of the pixels from `-reach` to `reach`; the outermost two count in part, so that
    /// any deviation can be had.
    private let weights: [Float]
    private var reach: Int { weights.count / 2 }

    /// A blur of this standard deviation in pixels.
    init(deviation: Double) {
        let width = (4 * deviation * deviation + 1).squareRoot()
        let whole = Int(((width - 1) / 2).rounded(.down))
        let edge = (width - Double(2 * whole + 1)) / 2
        let inner = Array(repeating: Float(1 / width), count: 2 * whole + 1)
        weights = [Float(edge / width)] + inner + [Float(edge / width)]
    }

    /// Blurs in place. Beyond the border the border's pixels stand.
    func apply(to picture: inout ScenePicture) {
        var values = picture.pixels.map(Float.init)
        for _ in 0..<3 {
            blurRows(&values, side: picture.side)
            blurColumns(&values, side: picture.side)
        }
        picture.pixels = values.map { PixelColour.byte(Double($0)) }
    }

    private func blurRows(_ values: inout [Float], side: Int) {
        let width = side * 3
        var padded = [Float](repeating: 0, count: width + reach * 6)
        for start in stride(from: 0, to: values.count, by: width) {
            for place in padded.indices {
                let column = max(0, min(side - 1, place / 3 - reach))
                padded[place] = values[start + column * 3 + place % 3]
            }
            for place in 0..<width { values[start + place] = 0 }
            for (offset, weight) in weights.enumerated() {
                Self.add(padded, at: offset * 3, times: weight, to: &values, start, width)
            }
        }
    }

    private func blurColumns(_ values: inout [Float], side: Int) {
        let width = side * 3
        let source = values
        for row in 0..<side {
            for place in row * width..<(row + 1) * width { values[place] = 0 }
            for (offset, weight) in weights.enumerated() {
                let from = max(0, min(side - 1, row + offset - reach)) * width
                Self.add(source, at: from, times: weight, to: &values, row * width, width)
            }
        }
    }

    /// `target[targetStart + i] += source[sourceStart + i] · weight`, which becomes vector code.
    private static func add(
        _ source: [Float],
        at sourceStart: Int,
        times weight: Float,
        to target: inout [Float],
        _ targetStart: Int,
        _ count: Int
    ) {
        source.withUnsafeBufferPointer { source in
            target.withUnsafeMutableBufferPointer { target in
                for place in 0..<count {
                    target[targetStart &+ place] += source[sourceStart &+ place] * weight
                }
            }
        }
    }
}
