import FailPoints
import Testing

@testable import RewardDaemon

@Suite("Permission for fail points")
struct FailPointSettingTests {
    private func configuration(_ environment: [String: String]) throws -> DaemonConfiguration {
        try DaemonConfiguration(
            layers: [
                .environment(environment), .parse("model.chaos = scripted", name: "rewardd.conf"),
            ],
            environment: environment,
            processorCount: 2,
            memoryBytes: 8 << 30
        )
    }

    @Test("comes from the environment alone")
    func environment() throws {
        #expect(try configuration([:]).failPoints.isEmpty)
        #expect(try configuration([FailPointSetting.environmentVariable: ""]).failPoints.isEmpty)
        let armed = try configuration([FailPointSetting.environmentVariable: "claim.after=stop@2"])
        #expect(armed.failPoints == [.claimAfter: FailPoints.Trigger(.stop, pass: 2)])
        #expect(throws: ConfigurationError.self) {
            _ = try ConfigurationSource.parse(
                "fail.points = claim.after=kill",
                name: "rewardd.conf"
            )
        }
    }

    @Test("of another form is refused by name, with what was expected and got")
    func refused() {
        let error = #expect(throws: ConfigurationError.self) {
            _ = try configuration([FailPointSetting.environmentVariable: "claim.after=die"])
        }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.hasPrefix("REWARDD_FAIL_POINTS: expected the action kill, stop or stall"))
        #expect(text.contains("claim.after=die"))
    }
}
