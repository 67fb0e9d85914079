#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The learning rate of every step: linear warm-up, then half a cosine down to a floor
/// (Loshchilov and Hutter 2017, without restarts).
package struct LearningRateSchedule: Sendable, Equatable {
    /// Highest rate, reached at the last step of the warm-up.
    package let peak: Float
    /// Rate of the last step and of all after it.
    package let floor: Float
    /// Steps of the warm-up; 0 starts at the peak.
    package let warmUpSteps: Int
    /// Steps of the run.
    package let totalSteps: Int

    /// Describes a run.
    ///
    /// - Throws: ``TrainingError/invalidOption(name:expected:got:)``.
    package init(
        peak: Float,
        floor: Float,
        warmUpSteps: Int,
        totalSteps: Int
    ) throws(TrainingError) {
        guard peak > 0, peak.isFinite else {
            throw .invalidOption(
                name: "learning rate",
                expected: "a positive number",
                got: "\(peak)"
            )
        }
        guard floor >= 0, floor <= peak else {
            throw .invalidOption(
                name: "lowest learning rate",
                expected: "a number from 0 to \(peak)",
                got: "\(floor)"
            )
        }
        guard totalSteps >= 1 else {
            throw .invalidOption(name: "steps", expected: "at least 1", got: "\(totalSteps)")
        }
        guard warmUpSteps >= 0, warmUpSteps <= totalSteps else {
            throw .invalidOption(
                name: "warm-up steps",
                expected: "0 to \(totalSteps)",
                got: "\(warmUpSteps)"
            )
        }
        self.peak = peak
        self.floor = floor
        self.warmUpSteps = warmUpSteps
        self.totalSteps = totalSteps
    }

    /// The rate of step `step`, counted from 1.
    package func rate(step: Int) -> Float {
        if step <= warmUpSteps { return peak * Float(max(step, 0)) / Float(warmUpSteps) }
        let span = max(totalSteps - warmUpSteps, 1)
        let progress = min(Double(step - warmUpSteps) / Double(span), 1)
        let share = (1 + cos(progress * .pi)) / 2
        return floor + (peak - floor) * Float(share)
    }
}
