/// How a `PackedMatrix` holds its weights; the raw value is its name in options and reports.
package enum PanelType: String, Sendable, CaseIterable {
    case float32 = "f32"
    case bfloat16 = "bf16"
    case float16 = "f16"
    /// 8 bits and, for each output and block of `blockInputs` inputs, a scale in bf16: w ≈ scale · q.
    case int8 = "int8"
    /// 4 bits and, for each output and block, a scale and a minimum in bf16: w ≈ scale · q + minimum.
    case int4 = "int4"

    /// Inputs that share a scale. A block of 32 needs 11 instructions for 8 products of bytes, one of 64 needs
    /// 19 for 16, and at 4 bits with a minimum half a bit less for a weight; root mean squared errors on normal numbers, of blocks of 32 and 64:
    /// 0.54 % and 0.60 % at 8 bits. At 4 bits 64 with a minimum and 32 without take the same 4.5 bits and
    /// err alike: 8.5 % and 8.1 %, numbers of heavier tails (Student's t of 5 degrees) 10.4 % and 10.3 %.
    package static let blockInputs = 64

    /// The panel that keeps numbers as a checkpoint stores them.
    package init(_ stored: WeightType) {
        switch stored {
        case .float32: self = .float32
        case .bfloat16: self = .bfloat16
        case .float16: self = .float16
        }
    }

    /// Products by it quantise the rows of x too, and add integers.
    package var isQuantized: Bool { self == .int8 || self == .int4 }

    /// Bytes of 16 outputs and `inputs` inputs, scales included.
    func panelByteCount(inputs: Int) -> Int {
        let blocks = Self.blocks(inputs: inputs)
        switch self {
        case .float32: return inputs * 64
        case .bfloat16, .float16: return inputs * 32
        case .int8, .int4: return blocks * (blockByteCount + scaleByteCount)
        }
    }

    /// Bytes of the numbers of one block of one panel; only of quantised panels.
    var blockByteCount: Int { self == .int8 ? 1024 : 512 }

    /// Bytes of the scales (and minima) of one block of one panel; only of quantised panels.
    var scaleByteCount: Int { self == .int8 ? 32 : 64 }

    /// Blocks of so many inputs; the last one may be filled up with zeros.
    static func blocks(inputs: Int) -> Int { (inputs + blockInputs - 1) / blockInputs }
}
