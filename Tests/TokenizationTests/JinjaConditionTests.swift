import Testing

@testable import Tokenization

@Suite("tests of chat templates")
struct JinjaConditionTests {
    @Test(
        "and, or, not and brackets, from the left, without what is not needed",
        arguments: [
            ("yes", true), ("no", false), ("not no", true), ("not not yes", true),
            ("yes and no", false), ("yes or unknown", true), ("no and unknown", false),
            ("no or yes and yes", true), ("(no or yes) and no", false), ("not (no or yes)", false),
            ("yes or (unknown and also(unknown, yes))", true), ("'a or b' in yes", true),
            ("not(no)", true), ("no and unknown(1, (2)) or yes", true),
        ]
    )
    func values(test: String, expected: Bool) throws {
        #expect(try holds(test) == expected)
    }

    @Test(
        "a fact that is needed and not known is named",
        arguments: [
            ("unknown", "unknown"), ("yes and unknown", "unknown"), ("no or other", "other"),
            ("", ""), ("yes and", ""), ("(yes", "("), ("yes)", "yes)"), ("yes no", "yes no"),
            ("not f('x y')", "f('x y')"),
        ]
    )
    func unknown(test: String, fact: String) {
        let error = #expect(throws: JinjaCondition.Unknown.self) { try holds(test) }
        #expect(error?.fact == fact)
    }

    @Test("brackets in brackets are followed to a depth, and refused beyond it")
    func depth() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "(", count: depth) + "yes" + String(repeating: ")", count: depth)
        }
        #expect(try holds(nested(32)))
        for test in [nested(33), nested(100_000), String(repeating: "(", count: 100_000)] {
            #expect(throws: JinjaCondition.Unknown.self) { try holds(test) }
        }
        #expect(try holds(Array(repeating: nested(3), count: 1000).joined(separator: " and ")))
    }

    private func holds(_ test: String) throws -> Bool {
        try JinjaCondition.holds(test) { fact in
            switch fact {
            case "yes", "'a or b' in yes": true
            case "no": false
            default: nil
            }
        }
    }
}
