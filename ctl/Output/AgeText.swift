import ArgumentParsing

/// How long ago something was, in the width of a table column.
enum AgeText {
    /// `12s`, `3m`, `5h`, `2d`: one unit, two when the first is small. Nothing for nil.
    static func brief(_ seconds: Double?) -> String {
        guard let seconds, seconds.isFinite else { return "" }
        let whole = Int64(max(0, seconds))
        switch whole {
        case ..<120: return "\(whole)s"
        case ..<600: return DurationText.describe(.seconds(whole)).replacing(" ", with: "")
        case ..<7200: return "\(whole / 60)m"
        case ..<172_800: return "\(whole / 3600)h"
        default: return "\(whole / 86_400)d"
        }
    }

    /// `2026-11-23 02:00:00 UTC` from `2026-11-23T02:00:00.123Z`.
    static func moment(_ timestamp: String) -> String {
        let seconds = timestamp.prefix(19).replacing("T", with: " ")
        return timestamp.hasSuffix("Z") ? seconds + " UTC" : timestamp
    }
}
