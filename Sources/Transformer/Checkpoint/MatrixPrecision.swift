package import TensorKernels

extension WeightPrecision {
    /// How the matrix of a canonical name is held; nil for as it is stored.
    ///
    /// The vision tower, the projector and the head take little of the time of a decoder of some billion
    /// weights and all of the error of what follows passes through them: they keep 8 bits beside a decoder in
    /// 4. The patch embedding, one product a picture with few inputs, is as stored beside integers.
    package func panelType(ofCanonical name: String) -> PanelType? {
        switch self {
        case .stored: nil
        case .float32: .float32
        case .bfloat16: .bfloat16
        case .int8, .int4:
            if name.contains("patch_embed") {
                nil
            } else {
                self == .int4 && name.hasPrefix("text.") ? .int4 : .int8
            }
        }
    }
}
