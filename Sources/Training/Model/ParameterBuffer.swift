package import Transformer

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// All parameters of a model in one flat f32 buffer.
///
/// Belongs to one training thread.
package final class ParameterBuffer {
    /// What lies where.
    package let layout: ParameterLayout
    /// [layout.count].
    package let values: FloatBuffer

    /// Reads the parameters of a checkpoint directory in any of its namings, widened to f32.
    ///
    /// - Throws: ``TrainingError/modelUnusable(_:)`` for a tensor that is missing or has another shape.
    package init(layout: ParameterLayout, checkpointDirectory: String) throws(TrainingError) {
        self.layout = layout
        values = FloatBuffer(count: layout.count)
        do {
            let reader = try WeightReader(checkpoint: Checkpoint(directory: checkpointDirectory))
            for entry in layout.entries {
                let target = values.base + entry.offset
                if entry.isOptional && !reader.contains(entry.canonicalName) {
                    target.update(repeating: entry.start == .ones ? 1 : 0, count: entry.count)
                } else {
                    try reader.read(entry.canonicalName, shape: entry.shape, into: target)
                }
            }
        } catch {
            throw .modelUnusable("\(error)")
        }
    }

    /// Makes a model from nothing: equal seeds and layouts, equal numbers.
    package init(layout: ParameterLayout, seed: UInt64) {
        self.layout = layout
        values = FloatBuffer(count: layout.count)
        for (index, entry) in layout.entries.enumerated() {
            let target = values.base + entry.offset
            switch entry.start {
            case .zeros: continue
            case .ones: target.update(repeating: 1, count: entry.count)
            case .normal(let deviation):
                var numbers = NormalNumbers(seed: seed &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15)
                for place in 0..<entry.count { target[place] = numbers.next() * deviation }
            case .waves(let side):
                GridWaves(width: entry.count / (side * side)).write(side: side, to: target)
            }
        }
    }

    /// Takes the tensors that a checkpoint directory has by the same name and shape.
    ///
    /// A layer that it does not have adds nothing at first (its output projections are set to zero), so
    /// that a deeper model starts by saying what the shallower one says (as in LLaMA Pro, Wu et al. 2024).
    /// With random projections instead, what was learnt was mostly lost in the first thousand steps.
    ///
    /// - Returns: how many numbers were taken.
    /// - Throws: ``TrainingError/modelUnusable(_:)``.
    package func take(from directory: String) throws(TrainingError) -> Int {
        var count = 0
        do {
            let reader = try WeightReader(checkpoint: Checkpoint(directory: directory))
            for entry in layout.entries {
                let target = values.base + entry.offset
                let shape = reader.shape(of: entry.canonicalName)
                if shape == entry.shape {
                    try reader.read(entry.canonicalName, shape: entry.shape, into: target)
                    count += entry.count
                } else if shape == nil, entry.isOutputProjection {
                    target.update(repeating: 0, count: entry.count)
                }
            }
        } catch {
            throw .modelUnusable("\(error)")
        }
        return count
    }

    /// Copies another buffer's numbers.
    ///
    /// - Precondition: both have one layout.
    package init(copying other: ParameterBuffer) {
        layout = other.layout
        values = FloatBuffer(count: layout.count)
        values.base.update(from: other.values.base, count: layout.count)
    }

    /// The numbers of one tensor, by its canonical or its stored name; nil when there is none.
    package func tensor(_ name: String) -> UnsafeMutableBufferPointer<Float>? {
        guard
            let entry = layout.entries.first(where: {
                $0.canonicalName == name || $0.name == name
            })
        else { return nil }
        return UnsafeMutableBufferPointer(start: values.base + entry.offset, count: entry.count)
    }
}

/// A stream of normally distributed numbers (Box and Muller 1958) over SplitMix64
/// (Steele, Lea and Flood 2014).
struct NormalNumbers {
    private var state: UInt64
    private var second: Float?

    /// Starts a stream; equal seeds, equal streams.
    init(seed: UInt64) { state = seed }

    /// The next number, of mean 0 and deviation 1.
    mutating func next() -> Float {
        if let second {
            self.second = nil
            return second
        }
        let radius = (-2 * log(1 - uniform())).squareRoot()
        let angle = 2 * Double.pi * uniform()
        second = Float(radius * sin(angle))
        return Float(radius * cos(angle))
    }

    /// In [0, 1).
    private mutating func uniform() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
    }
}
