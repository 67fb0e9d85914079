import Foundation
import Staging
import Testing

@Suite("What a killed run left")
struct StaleRunTests {
    @Test("is taken away by the next run, and what belongs to a living one is not")
    func cleared() throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/true")
        try process.run()
        process.waitUntilExit()
        let dead = "\(StaleRuns.prefix)\(process.processIdentifier)-test"
        let alive = StaleRuns.ownPrefix + "test"
        for path in [dead, alive] {
            try FileManager.default.createDirectory(
                atPath: path + "/data",
                withIntermediateDirectories: true
            )
        }
        defer { try? FileManager.default.removeItem(atPath: alive) }
        let daemon = Process()
        daemon.executableURL = URL(filePath: "/bin/sh")
        daemon.arguments = ["-c", "sleep 60; true", "rewardd", "\(dead)/daemon-0.conf"]
        try daemon.run()
        StaleRuns.clear()
        daemon.waitUntilExit()
        #expect(daemon.terminationReason == .uncaughtSignal)
        #expect(!FileManager.default.fileExists(atPath: dead))
        #expect(FileManager.default.fileExists(atPath: alive))
    }
}
