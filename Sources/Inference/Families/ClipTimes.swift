import Transformer

/// What Qwen-VL models are told of the time of a clip's frames.
enum ClipTimes {
    /// Frames a second when nobody says (`processing_qwen2_5_vl.py`, `fps` of the sampling tools).
    static let standardRate = 2.0

    /// Frames shown for each second of the video.
    static func rate(of clip: EngineClip) -> Double { clip.framesPerSecond ?? standardRate }

    /// Refuses rates and times that are none.
    static func check(_ clip: EngineClip, slot: Int) throws(InferenceError) {
        if let rate = clip.framesPerSecond, !(0.01...1000).contains(rate) {
            throw .invalidRequest(
                "clips[\(slot)].framesPerSecond: expected a number from 0.01 to 1000, got \(rate). "
                    + "Give the frames shown for each second of the video."
            )
        }
        guard let times = clip.times else { return }
        guard times.count == clip.frames.count,
            times.allSatisfy({ (0...1e6).contains($0) })
        else {
            throw .invalidRequest(
                "clips[\(slot)].times: expected a time from 0 to 1000000 seconds for each of "
                    + "\(clip.frames.count) frames, got \(times.count) times. Give one a frame."
            )
        }
    }

    /// The time of two frames as the prompt of Qwen3-VL says it: their mean in seconds, `1.2`
    /// (`processing_qwen3_vl.py: _calculate_timestamps`).
    static func words(of clip: EngineClip, _ first: Int, _ second: Int) -> String {
        func time(_ frame: Int) -> Double {
            clip.times.map { $0[frame] } ?? Double(frame) / rate(of: clip)
        }
        return oneDecimal((time(first) + time(second)) / 2)
    }

    /// C's `%.1f`: the exact binary value rounded, half to even: 0.25 is `0.2` and 0.75 `0.8`.
    static func oneDecimal(_ value: Double) -> String {
        let product = value * 10
        let error = (-product).addingProduct(value, 10)
        var tenths = product.rounded(.down)
        let rest = product - tenths
        let isOdd = tenths.truncatingRemainder(dividingBy: 2) != 0
        if rest > 0.5 || (rest == 0.5 && (error > 0 || (error == 0 && isOdd))) { tenths += 1 }
        let whole = Int(tenths)
        return "\(whole / 10).\(whole % 10)"
    }

    /// Where the rows of a clip of Qwen2.5-VL stand (`modeling_qwen2_5_vl.py: get_rope_index`).
    /// - seconds: from one pair of frames to the next.
    static func grid(
        pairs: Int,
        rows: Int,
        columns: Int,
        seconds: Double,
        tokensPerSecond: Int,
        convention: VideoConvention
    ) -> VisualGrid {
        switch convention {
        case .transformers4:
            // The seconds are cut to whole ones before anything else.
            let interval = tokensPerSecond * Int(seconds)
            return VisualGrid(
                frames: pairs,
                rows: rows,
                columns: columns,
                frameInterval: Float(interval),
                advance: max((pairs - 1) * interval + 1, rows, columns)
            )
        case .transformers5:
            return VisualGrid(
                frames: pairs,
                rows: rows,
                columns: columns,
                frameInterval: Float(tokensPerSecond) * Float(seconds),
                advance: max(rows, columns)
            )
        }
    }
}
