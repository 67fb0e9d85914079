import FoundationEssentials

/// Any JSON value: what item payloads, options and prompt packs are read as before they are
/// checked, and what results are built from.
///
/// Decoding first to this, and checking second, is what lets an error name the path and say what
/// stood there; `Decodable` structs would drop unknown keys without a word.
package enum PayloadValue: Sendable, Equatable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// Always finite: JSON has no other numbers, and results only hold checked ones.
    case number(Double)
    /// Text.
    case string(String)
    /// Values in order.
    case array([PayloadValue])
    /// Values by name.
    case object([String: PayloadValue])

    /// Reads one JSON document. Nil when the bytes are not JSON, not UTF-8, or nested too deep.
    package init?(json: some Collection<UInt8>) {
        guard let value = try? JSONDecoder().decode(PayloadValue.self, from: Data(json)) else {
            return nil
        }
        self = value
    }

    /// The value as compact JSON, keys sorted by their bytes, so that equal values give equal text.
    package var json: String {
        var text = ""
        write(into: &text)
        return text
    }

    /// What an error says it got: `null`, `the number 3`, `"short text"`, `an array of 4`.
    package var summary: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number: "the number \(json)"
        case .string(let text): "the string \(quoted(text))"
        case .array(let values): "an array of \(values.count)"
        case .object(let fields) where fields.isEmpty: "an object without keys"
        case .object(let fields):
            "an object with \(fields.keys.sorted().prefix(5).map(quoted).joined(separator: ", "))"
        }
    }

    private func write(into text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .number(let value): text += numberText(value)
        case .string(let value): writeString(value, into: &text)
        case .array(let values):
            text += "["
            for (index, value) in values.enumerated() {
                if index > 0 { text += "," }
                value.write(into: &text)
            }
            text += "]"
        case .object(let fields):
            text += "{"
            for (index, key) in fields.keys.sorted().enumerated() {
                if index > 0 { text += "," }
                writeString(key, into: &text)
                text += ":"
                (fields[key] ?? .null).write(into: &text)
            }
            text += "}"
        }
    }
}

// MARK: - Decodable

extension PayloadValue: Decodable {
    /// Reads any JSON value. Throws what the decoder throws for text that is none.
    package init(from decoder: any Decoder) throws {
        if let fields = try? decoder.container(keyedBy: AnyKey.self) {
            var object: [String: PayloadValue] = [:]
            for key in fields.allKeys {
                object[key.stringValue] = try fields.decode(PayloadValue.self, forKey: key)
            }
            self = .object(object)
            return
        }
        if var elements = try? decoder.unkeyedContainer() {
            var array: [PayloadValue] = []
            while !elements.isAtEnd { array.append(try elements.decode(PayloadValue.self)) }
            self = .array(array)
            return
        }
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let text = try? container.decode(String.self) {
            self = .string(text)
        } else if let flag = try? container.decode(Bool.self) {
            self = .bool(flag)
        } else {
            self = .number(try container.decode(Double.self))
        }
    }
}

private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init?(intValue: Int) { nil }
}

// MARK: - Text

/// User text between quotes, cut at 60 characters so that an error stays one line.
func quoted(_ text: String) -> String {
    let cut = text.count > 60 ? text.prefix(60) + "…" : text[...]
    var result = ""
    writeString(String(cut), into: &result)
    return result
}

/// The shortest decimal text that reads back as the same number; whole numbers without a point.
private func numberText(_ value: Double) -> String {
    guard value.isFinite else { return "null" }
    if value == value.rounded(), abs(value) < 9_007_199_254_740_992 { return "\(Int64(value))" }
    return value.description
}

private func writeString(_ value: String, into text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
        switch scalar {
        case "\"": text += "\\\""
        case "\\": text += "\\\\"
        case "\n": text += "\\n"
        case "\r": text += "\\r"
        case "\t": text += "\\t"
        case "\u{0}"..."\u{1f}":
            let hex = String(scalar.value, radix: 16)
            text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        default: text.unicodeScalars.append(scalar)
        }
    }
    text += "\""
}
