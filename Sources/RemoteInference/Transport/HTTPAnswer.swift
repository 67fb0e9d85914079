import Foundation

/// What a server answered: the fields of the head that are looked at, and the body.
struct HTTPAnswer: Sendable, Equatable {
    let status: Int
    /// The media type in lower case, without parameters.
    let contentType: String
    /// Where it sends to, for redirects.
    let location: String?
    /// How long it asks to be left alone.
    let retryAfter: Duration?
    let body: [UInt8]

    /// Reads the bytes of an answer: a head, others before it that are interim (1xx), and the body as it is
    /// after transfer coding. Nil when they are none.
    init?(_ bytes: [UInt8], now: Date = Date()) {
        var rest = bytes[...]
        while true {
            guard let (head, body) = Self.split(rest), let status = Self.status(of: head) else {
                return nil
            }
            rest = body
            if (100..<200).contains(status) { continue }
            let fields = Self.fields(of: head)
            self.status = status
            contentType =
                fields["content-type"]?.split(separator: ";").first?
                .trimmingCharacters(in: .whitespaces).lowercased() ?? ""
            location = fields["location"]
            retryAfter = fields["retry-after"].flatMap { Self.delay($0, now: now) }
            self.body = Array(body)
            return
        }
    }

    /// The lines of the first head, and what follows its empty line.
    private static func split(
        _ bytes: ArraySlice<UInt8>
    ) -> (head: [Substring], rest: ArraySlice<UInt8>)? {
        let newline = UInt8(ascii: "\n")
        let carriage = UInt8(ascii: "\r")
        var start = bytes.startIndex
        while let end = bytes[start...].firstIndex(of: newline) {
            let line = bytes[start..<end]
            guard line.isEmpty || line.elementsEqual(CollectionOfOne(carriage)) else {
                start = end + 1
                continue
            }
            let text = String(decoding: bytes[bytes.startIndex..<start], as: UTF8.self)
            // "\r\n" is one character.
            return (text.split(whereSeparator: \.isNewline), bytes[(end + 1)...])
        }
        return nil
    }

    private static func status(of head: [Substring]) -> Int? {
        guard let words = head.first?.split(separator: " "), words.count >= 2,
            words[0].hasPrefix("HTTP/"), words[1].utf8.count == 3, let status = Int(words[1]),
            (100..<600).contains(status)
        else { return nil }
        return status
    }

    /// By name in lower case; of a name that comes twice the last.
    private static func fields(of head: [Substring]) -> [String: String] {
        var fields: [String: String] = [:]
        for line in head.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon].lowercased()] = line[line.index(after: colon)...]
                .trimmingCharacters(in: .whitespaces)
        }
        return fields
    }

    /// Seconds, or a date (RFC 9110, §10.2.3). Not before now, and at most a day.
    static func delay(_ text: String, now: Date) -> Duration? {
        let day = 86400.0
        if let seconds = Int(text) {
            return seconds < 0 ? nil : .seconds(min(seconds, Int(day)))
        }
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(secondsFromGMT: 0)
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        guard let date = format.date(from: text) else { return nil }
        return .milliseconds(Int(max(0, min(date.timeIntervalSince(now), day)) * 1000))
    }
}
