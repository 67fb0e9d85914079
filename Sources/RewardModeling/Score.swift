/// The range a template's scores lie in, both ends included.
package struct Scale: Sendable, Equatable {
    /// The least score.
    package let minimum: Double
    /// The greatest score.
    package let maximum: Double

    /// Nil unless both ends are finite and the least is below the greatest.
    package init?(minimum: Double, maximum: Double) {
        guard minimum.isFinite, maximum.isFinite, minimum < maximum else { return nil }
        self.minimum = minimum
        self.maximum = maximum
    }

    /// `[1,5]`.
    package var json: PayloadValue { .array([.number(minimum), .number(maximum)]) }
}

/// A number with the scale it was given on; without the scale it would mean nothing.
package struct Score: Sendable, Equatable {
    /// Finite and within the scale.
    package let value: Double
    /// Where the value lies.
    package let scale: Scale

    /// Nil for a value that is not a number or lies outside the scale.
    package init?(_ value: Double, on scale: Scale) {
        guard value >= scale.minimum, value <= scale.maximum else { return nil }
        self.value = value
        self.scale = scale
    }
}
