import ArgumentParsing
import Glibc

/// Reads what `--at` accepts: a date and time, or a time of day, with an optional zone.
enum MomentText {
    /// Completes "expected …".
    static let expectation = "a time such as 02:00, 2026-11-23T02:00 or 2026-11-23T02:00:00Z"

    /// The format of `--at`.
    static let format = ValueFormat(expectation: expectation) { parse($0, now: 0) != nil }

    /// Seconds since 1970 of the moment that `text` names, or nil when it names none.
    ///
    /// Without a zone the time is local. A time of day is the next one after `now`, so `02:00` typed
    /// in the evening is tonight.
    static func parse(_ text: String, now: Int) -> Int? {
        let pattern =
            /(?:(\d{4})-(\d{2})-(\d{2})(?:[T ](?=\d)|$))?(?:(\d{2}):(\d{2})(?::(\d{2}))?)?(Z|[+-]\d{2}:?\d{2})?/
        guard !text.isEmpty, let match = text.wholeMatch(of: pattern) else { return nil }
        let zone = match.7.flatMap { offset(String($0)) }
        guard match.1 != nil || match.4 != nil else { return nil }
        guard match.1 != nil || match.7 == nil else { return nil }
        var fields = localFields(now)
        if let year = number(match.1), let month = number(match.2), let day = number(match.3) {
            fields.tm_year = Int32(year) - 1900
            fields.tm_mon = Int32(month) - 1
            fields.tm_mday = Int32(day)
        }
        fields.tm_hour = Int32(number(match.4) ?? 0)
        fields.tm_min = Int32(number(match.5) ?? 0)
        fields.tm_sec = Int32(number(match.6) ?? 0)
        fields.tm_isdst = -1
        guard let moment = seconds(fields, zone: zone) else { return nil }
        if match.1 != nil || moment > now { return moment }
        fields.tm_mday += 1
        var tomorrow = fields
        return mktime(&tomorrow)
    }

    private static func localFields(_ now: Int) -> tm {
        var fields = tm()
        var seconds = now
        localtime_r(&seconds, &fields)
        return fields
    }

    /// The moment of calendar fields; nil for a date that no calendar has, which `mktime` would
    /// quietly move to the next month.
    private static func seconds(_ fields: tm, zone: Int?) -> Int? {
        var normalized = fields
        let moment = zone == nil ? mktime(&normalized) : timegm(&normalized)
        guard normalized.tm_mon == fields.tm_mon, normalized.tm_mday == fields.tm_mday,
            fields.tm_hour < 24, fields.tm_min < 60, fields.tm_sec < 60
        else { return nil }
        return moment - (zone ?? 0)
    }

    private static func number(_ text: Substring?) -> Int? {
        text.flatMap { Int($0) }
    }

    /// Seconds east of Greenwich: `Z`, `+02:00`, `-0530`.
    private static func offset(_ text: String) -> Int? {
        if text == "Z" { return 0 }
        let digits = text.filter(\.isNumber)
        guard let hours = Int(digits.prefix(2)), let minutes = Int(digits.suffix(2)) else {
            return nil
        }
        return (text.hasPrefix("-") ? -1 : 1) * (hours * 3600 + minutes * 60)
    }
}
