/// Numbers as people read them.
enum NumberText {
    /// `1,234,567`.
    static func grouped(_ value: Int64) -> String {
        let digits = String(value.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
            text.append(digit)
        }
        return value < 0 ? "-" + text : text
    }

    /// `1 item`, `2 items`.
    static func counted(_ value: Int64, _ noun: String) -> String {
        "\(grouped(value)) \(noun)\(value == 1 ? "" : "s")"
    }

    /// `12.3/s`, or per minute or hour when slower than one a second.
    static func rate(perSecond: Double) -> String {
        if perSecond >= 1 { return "\(oneDecimal(perSecond))/s" }
        if perSecond * 60 >= 1 { return "\(oneDecimal(perSecond * 60))/min" }
        return "\(oneDecimal(perSecond * 3600))/h"
    }

    /// A score or probability with at most three decimals.
    static func brief(_ value: Double) -> String {
        let scaled = (value * 1000).rounded() / 1000
        let text = String(scaled)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    private static func oneDecimal(_ value: Double) -> String {
        guard value.isFinite, value < 1e12 else { return String(value) }
        let tenths = Int64((value * 10).rounded())
        return tenths >= 1000 || tenths.isMultiple(of: 10)
            ? grouped(tenths / 10) : "\(tenths / 10).\(tenths % 10)"
    }
}
