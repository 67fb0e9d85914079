import VisionPreprocessing

/// Reads the fields of one JSON object and refuses what does not belong, naming the path.
///
/// The error made is the caller's choice, so that items, options and prompt packs share the checks.
struct PayloadReader {
    private let fields: [String: PayloadValue]
    /// Where the object stands, such as `candidates[3]`; empty for the document itself.
    private let path: String
    private let makeError: @Sendable (String) -> RewardModelingError

    /// Throws unless the value is an object.
    init(
        _ value: PayloadValue,
        path: String,
        subject: String,
        error: @escaping @Sendable (String) -> RewardModelingError
    ) throws(RewardModelingError) {
        guard case .object(let fields) = value else {
            let place = path.isEmpty ? subject : path
            throw error("\(place): expected an object, got \(value.summary)")
        }
        self.fields = fields
        self.path = path
        makeError = error
    }

    /// The path of a field of this object.
    func path(of name: String) -> String {
        path.isEmpty ? name : "\(path).\(name)"
    }

    /// The value of a field; nil when absent.
    func value(_ name: String) -> PayloadValue? { fields[name] }

    /// A text that must be there. It may be empty: an empty response is a candidate like any other.
    func string(_ name: String) throws(RewardModelingError) -> String {
        guard case .string(let text)? = fields[name] else { throw mismatch(name, "a string") }
        return text
    }

    /// An array that must be there.
    func array(_ name: String, _ expected: String) throws(RewardModelingError) -> [PayloadValue] {
        guard case .array(let values)? = fields[name] else { throw mismatch(name, expected) }
        return values
    }

    /// One word of a list; nil when the field is absent.
    func word<Word: RawRepresentable & CaseIterable>(
        _ name: String,
        as type: Word.Type
    ) throws(RewardModelingError) -> Word? where Word.RawValue == String {
        guard let value = fields[name] else { return nil }
        if case .string(let text) = value, let word = Word(rawValue: text) { return word }
        let words = Word.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
        throw mismatch(name, words)
    }

    /// A finite number within bounds; nil when the field is absent.
    func number(
        _ name: String,
        in range: ClosedRange<Double>,
        whole: Bool,
        _ expected: String
    ) throws(RewardModelingError) -> Double? {
        guard let value = fields[name] else { return nil }
        guard case .number(let number) = value, range.contains(number),
            !whole || number == number.rounded()
        else { throw mismatch(name, expected) }
        return number
    }

    /// A number of frames that a clip may have; nil when the field is absent.
    func frameCount(_ name: String) throws(RewardModelingError) -> Int? {
        let counts = FrameSampler.counts
        return try number(
            name,
            in: Double(counts.lowerBound)...Double(counts.upperBound),
            whole: true,
            "a whole number from \(counts.lowerBound) to \(counts.upperBound)"
        ).map { Int($0) }
    }

    /// Throws when the object has a field that is not in the list.
    func refuseFields(except allowed: [String]) throws(RewardModelingError) {
        guard let unknown = fields.keys.filter({ !allowed.contains($0) }).min() else { return }
        let known = allowed.map { "\"\($0)\"" }.joined(separator: ", ")
        throw makeError("\(path(of: unknown)): expected one of \(known), got an unknown field")
    }

    /// The error for a field that is absent or of the wrong shape.
    func mismatch(_ name: String, _ expected: String) -> RewardModelingError {
        let got = fields[name]?.summary ?? "nothing"
        return makeError("\(path(of: name)): expected \(expected), got \(got)")
    }
}
