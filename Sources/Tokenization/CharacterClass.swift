/// What the pre-tokeniser's split rule asks about a character. The classes are disjoint.
enum CharacterClass: UInt8, Sendable {
    /// `\p{L}`
    case letter
    /// `\p{N}`: digits of every script, letter-like numbers and others such as '½'.
    case number
    /// Carriage return and line feed, the only two in `[\r\n]`.
    case lineBreak
    /// `\s` other than a line break: Unicode White_Space, so U+0085 but not U+001C.
    case space
    case other

    init(_ scalar: Unicode.Scalar) {
        if scalar.value < 0x80 {
            self = Self.ascii[Int(scalar.value)]
        } else {
            self.init(properties: scalar)
        }
    }

    private init(properties scalar: Unicode.Scalar) {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            self = .letter
        case .decimalNumber, .letterNumber, .otherNumber:
            self = .number
        default:
            if scalar == "\r" || scalar == "\n" {
                self = .lineBreak
            } else {
                self = scalar.properties.isWhitespace ? .space : .other
            }
        }
    }

    private static let ascii: [CharacterClass] = (0..<0x80).map { value in
        CharacterClass(properties: Unicode.Scalar(UInt8(value)))
    }
}
