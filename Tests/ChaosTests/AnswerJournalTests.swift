import Foundation
import Testing

@testable import Chaos

@Suite("The journal of answers")
struct AnswerJournalTests {
    @Test("counts what has come since, and what came a second time; an unfinished line waits")
    func counts() throws {
        let path = FileManager.default.temporaryDirectory.path + "/journal-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var journal = AnswerJournal(path: path)
        journal.read()
        #expect(journal.answers == 0)
        let first = "0123456789abcdef\n"
        let second = "ffffffffffffffff\n"
        try (first + second + first.prefix(5)).write(
            toFile: path,
            atomically: false,
            encoding: .utf8
        )
        journal.read()
        #expect(journal.answers == 2)
        #expect(journal.repeats == 0)
        try (first + second + first + second + second).write(
            toFile: path,
            atomically: false,
            encoding: .utf8
        )
        journal.read()
        journal.read()
        #expect(journal.answers == 5)
        #expect(journal.repeats == 3)
    }
}
