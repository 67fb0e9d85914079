import Foundation
import Testing

@Suite("rewardctl --help")
struct HelpGoldenTests {
    /// Every page, in the order of the golden file.
    static let pages = [
        [], ["submit"], ["get"], ["get", "jobs"], ["get", "daemons"], ["get", "queues"],
        ["get", "models"], ["get", "engines"], ["get", "schedules"], ["describe"],
        ["describe", "job"], ["watch"], ["hold"], ["release"], ["cancel"], ["retry"],
        ["results"], ["pairs"], ["export"], ["evaluate"], ["queue"], ["queue", "create"],
        ["queue", "set"], ["queue", "pause"], ["queue", "resume"], ["queue", "grant"],
        ["queue", "revoke"], ["schedule"], ["schedule", "add"], ["schedule", "remove"],
        ["schedule", "pause"], ["schedule", "resume"], ["schedule", "run"], ["drain"],
        ["prune"], ["migrate"], ["doctor"], ["version"],
    ]

    /// Written anew when REWARDD_UPDATE_GOLDENS is set.
    static let golden = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Goldens/rewardctl-help.txt")

    @Test("every page is as reviewed")
    func reviewed() throws {
        var text = ""
        for page in Self.pages {
            let outcome = try RewardctlProcess.run(["help"] + page)
            #expect(outcome.status == 0)
            #expect(outcome.messages.isEmpty)
            text += "$ rewardctl \((["help"] + page).joined(separator: " "))\n\(outcome.output)\n"
        }
        if ProcessInfo.processInfo.environment["REWARDD_UPDATE_GOLDENS"] != nil {
            try text.write(to: Self.golden, atomically: true, encoding: .utf8)
        }
        let expected = try String(contentsOf: Self.golden, encoding: .utf8)
        #expect(text == expected, "run with REWARDD_UPDATE_GOLDENS=1 and review the difference")
    }

    @Test("--help after the words is the same page", arguments: pages)
    func helpOption(page: [String]) throws {
        let first = try RewardctlProcess.run(["help"] + page)
        let second = try RewardctlProcess.run(page + ["--help"])
        #expect(first.output == second.output)
        #expect(second.status == 0)
    }

    @Test("lines of help fit into 100 columns")
    func width() throws {
        let text = try String(contentsOf: Self.golden, encoding: .utf8)
        for line in text.split(separator: "\n") {
            #expect(line.count <= 100, "\(line)")
        }
    }

    @Test("the version is told without a database")
    func version() throws {
        let flag = try RewardctlProcess.run(["--version"])
        #expect(flag.output.hasPrefix("rewardctl 0."))
        let command = try RewardctlProcess.run(["version"])
        #expect(command.output.hasPrefix("rewardctl 0."))
        #expect(command.output.contains("schema version"))
    }
}
