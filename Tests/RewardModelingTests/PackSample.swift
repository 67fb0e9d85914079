@testable import RewardModeling

/// A small pack that a test spoils in one place.
struct PackSample {
    private var fields: [String: PayloadValue] = [
        "id": .string("sample"), "task": .string("image_understanding"),
        "kind": .string("point_score"), "media": .array([.string("image")]),
        "text": .array([.string("{question}"), .string("{response}")]),
        "answer_grammar": .string("final_score"), "scale": .array([.number(1), .number(5)]),
        "answer_prefix": .string("Final Score: "), "choices": PackSample.numerals([1, 2, 3, 4, 5]),
    ]

    subscript(_ name: String) -> PayloadValue? {
        get { fields[name] }
        set { fields[name] = newValue }
    }

    static func numerals(_ values: [Int]) -> PayloadValue {
        .array(values.map { choice("\($0)", Double($0)) })
    }

    static func choice(_ text: String, _ value: Double) -> PayloadValue {
        .object(["text": .string(text), "value": .number(value)])
    }

    func pack(with other: PackSample? = nil) -> String {
        let templates = [self] + (other.map { [$0] } ?? [])
        return PayloadValue.object([
            "name": .string("test"), "templates": .array(templates.map { .object($0.fields) }),
        ]).json
    }

    func template() throws -> PromptTemplate {
        try PromptPack(json: pack().utf8).templates[0]
    }
}

/// The built-in pack's bytes.
enum PackageSource {
    static var builtin: [UInt8] { PromptPack.builtinSource }
}
