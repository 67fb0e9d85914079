import Glibc

/// One finished line before it is written: what a sink receives.
package struct LogLine: Sendable {
    /// Seconds since 1970-01-01 00:00 UTC.
    package let time: Double
    package let level: LogLevel
    /// A constant of the source; data is in `metadata`.
    package let message: String
    /// Pairs in the order they were given; a key may repeat.
    package let metadata: [(key: String, value: LogValue)]

    package init(
        time: Double,
        level: LogLevel,
        message: String,
        metadata: [(key: String, value: LogValue)]
    ) {
        self.time = time
        self.level = level
        self.message = message
        self.metadata = metadata
    }

    /// The last value under a key, for tests.
    package subscript(key: String) -> LogValue? {
        metadata.last { $0.key == key }?.value
    }
}

// MARK: - logfmt

extension LogLine {
    /// Where a line goes decides how it begins.
    package enum Prefix: Sendable {
        /// `ts=2026-11-22T20:31:07.412Z level=info msg=…`
        case timestamp
        /// `<6>level=info msg=…`: the journal keeps the time and reads the priority from the
        /// prefix.
        case journal
    }

    /// The line in logfmt without its newline. Values from outside can neither end the line nor
    /// forge a key: what is not plain printable text is quoted and escaped, and a value over 2048
    /// bytes is cut.
    package func formatted(prefix: Prefix = .timestamp) -> String {
        var text = ""
        text.reserveCapacity(160)
        switch prefix {
        case .timestamp: text += "ts=\(LogLine.timestamp(time)) "
        case .journal: text += "<\(level.syslogPriority)>"
        }
        text += "level=\(level.rawValue) msg="
        LogLine.appendQuoted(message, to: &text)
        for (key, value) in metadata {
            text += " "
            LogLine.appendKey(key, to: &text)
            text += "="
            LogLine.append(value, to: &text)
        }
        return text
    }

    /// RFC 3339 in UTC with milliseconds.
    package static func timestamp(_ seconds: Double) -> String {
        let milliseconds = Int64((seconds * 1000).rounded(.down))
        var whole = time_t(milliseconds / 1000)
        var parts = tm()
        gmtime_r(&whole, &parts)
        func digits(_ value: Int32, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
        }
        let date = [
            digits(parts.tm_year + 1900, 4), digits(parts.tm_mon + 1, 2), digits(parts.tm_mday, 2),
        ]
        let clock = [digits(parts.tm_hour, 2), digits(parts.tm_min, 2), digits(parts.tm_sec, 2)]
        let fraction = digits(Int32(milliseconds % 1000), 3)
        return "\(date.joined(separator: "-"))T\(clock.joined(separator: ":")).\(fraction)Z"
    }

    private static func append(_ value: LogValue, to text: inout String) {
        switch value {
        case .int(let number): text += String(number)
        case .double(let number): text += String(number)
        case .bool(let flag): text += flag ? "true" : "false"
        case .string(let string):
            let short = shortened(string)
            if isBare(short) { text += short } else { appendQuoted(short, to: &text) }
        }
    }

    /// Longest value written, in bytes of UTF-8.
    private static let longestValue = 2048

    private static func shortened(_ string: String) -> String {
        guard string.utf8.count > longestValue else { return string }
        let head = String(decoding: string.utf8.prefix(longestValue), as: UTF8.self)
        return head + "… (\(string.utf8.count) bytes)"
    }

    /// True for text that logfmt readers take without quotes.
    private static func isBare(_ string: String) -> Bool {
        !string.isEmpty
            && string.utf8.allSatisfy { byte in
                byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "\"")
                    && byte != UInt8(ascii: "=") && byte != UInt8(ascii: "\\")
            }
    }

    private static func appendKey(_ key: String, to text: inout String) {
        for scalar in key.unicodeScalars {
            let isPlain =
                scalar.isASCII && scalar.value > 0x20 && scalar.value < 0x7f && scalar != "="
                && scalar != "\"" && scalar != "\\"
            text.unicodeScalars.append(isPlain ? scalar : "_")
        }
        if key.isEmpty { text += "_" }
    }

    private static func appendQuoted(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            default:
                if isControl(scalar) {
                    let digits = String(scalar.value, radix: 16)
                    text += "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
                } else {
                    text.unicodeScalars.append(scalar)
                }
            }
        }
        text += "\""
    }

    /// Characters that could move the cursor, end the line or turn the direction of text on a
    /// terminal.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f...0x9f, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }
}
