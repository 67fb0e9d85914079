/// Which frames of a video a model is shown.
///
/// Each rule repeats the arithmetic of the scripts of one line of UnifiedReward models, to the rounding.
package struct FrameSampler: Sendable, Hashable {
    /// How indices are spread over a video. The raw values are those of `options.sampling`.
    package enum Rule: String, Sendable, CaseIterable {
        /// Evenly from the first frame to the last, cut to whole numbers: `numpy.linspace` with an integer
        /// type, as the scripts of v1 and the benchmarks.
        case linspace
        /// The first frame of each of equal parts, `int(i · n / N)`, as the scripts of 2.0.
        case segments
        /// Two frames for each second, an even number of at least 4, evenly from the first to the last and
        /// rounded half to even: `qwen_vl_utils` 0.0.14, with the count as its `max_frames`.
        case fps
    }

    /// The frames of a video that are shown, or why there are none.
    package enum Selection: Sendable, Equatable {
        /// Indices from 0, ascending, none twice.
        case frames([Int])
        /// The video has fewer frames than are shown; none is ever shown twice.
        case tooFew(least: Int)
        /// The rule needs the video's rate, which is not known.
        case unknownRate
    }

    /// How many frames may be taken of a video: up to the most that `qwen_vl_utils` takes.
    package static let counts = 2...768

    /// How indices are spread.
    package let rule: Rule
    /// Frames to show; for ``Rule/fps`` the most to show.
    package let count: Int

    /// - Parameter count: Nil for the rule's default: 8, and for ``Rule/fps`` as many as may be taken.
    package init(rule: Rule = .linspace, count: Int? = nil) {
        let count = count ?? (rule == .fps ? Self.counts.upperBound : 8)
        precondition(Self.counts.contains(count))
        self.rule = rule
        self.count = count
    }

    /// This choice with another rule or another number of frames where they are given; a number goes with the rule
    /// beside which it stands.
    package func changed(rule: Rule?, count: Int?) -> FrameSampler {
        let rule = rule ?? self.rule
        return FrameSampler(rule: rule, count: count ?? (rule == self.rule ? self.count : nil))
    }

    /// The frames to show of a video.
    ///
    /// - Parameters:
    ///   - frameCount: frames the video has.
    ///   - framesPerSecond: on average; nil when unknown. Only ``Rule/fps`` asks.
    package func selection(frameCount: Int, framesPerSecond: Double?) -> Selection {
        switch rule {
        case .linspace:
            guard frameCount >= count else { return .tooFew(least: count) }
            return .frames(linspace(to: frameCount - 1))
        case .segments:
            guard frameCount >= count else { return .tooFew(least: count) }
            return .frames((0..<count).map { $0 * frameCount / count })
        case .fps:
            guard frameCount >= 2 else { return .tooFew(least: 2) }
            guard let rate = framesPerSecond, rate > 0, rate.isFinite else { return .unknownRate }
            return .frames(
                Self.rounded(to: frameCount - 1, count: evenCount(frameCount, rate: rate))
            )
        }
    }

    /// `numpy.linspace(0, last, count, dtype=int)`: multiples of a step in doubles, cut; the last exact.
    private func linspace(to last: Int) -> [Int] {
        let step = Double(last) / Double(count - 1)
        return (0..<count).map { $0 == count - 1 ? last : Int((Double($0) * step).rounded(.down)) }
    }

    /// `smart_nframes`: two for each second, not under 4, not over the count or the frames there are, even.
    private func evenCount(_ frameCount: Int, rate: Double) -> Int {
        let wanted = max(Double(frameCount) / rate * 2, 4)
        let most = min(count, frameCount)
        return min(Int(min(wanted, Double(most / 2 * 2))), frameCount) / 2 * 2
    }

    /// `torch.linspace(0, last, count).round()`: steps in 32 bits, counted from either end to the middle.
    private static func rounded(to last: Int, count: Int) -> [Int] {
        let end = Float(last)
        let step = end / Float(count - 1)
        return (0..<count).map { index in
            let place =
                index < count / 2
                ? step * Float(index) : end - step * Float(count - index - 1)
            return Int(place.rounded(.toNearestOrEven))
        }
    }
}
