import RewardDaemon
import Testing

@Suite("Stopping a shard")
struct StopSwitchTests {
    @Test("the strongest reason wins, whatever the order")
    func strongest() {
        let stop = StopSwitch()
        stop.stop(.abandon)
        stop.stop(.drain)
        #expect(stop.reason == .abandon)
        stop.stop(.leaseLost)
        stop.stop(.cancelled)
        #expect(stop.reason == .leaseLost)
    }

    @Test("draining lets the task go on, cancelling stops it")
    func cancellation() async {
        let stop = StopSwitch()
        let (started, startedSignal) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            startedSignal.finish()
            while !Task.isCancelled { await Task.yield() }
        }
        stop.attach(task)
        for await _ in started {}
        stop.stop(.drain)
        #expect(!task.isCancelled)
        stop.stop(.cancelled)
        #expect(task.isCancelled)
        await task.value
    }

    @Test("a task attached after the request is cancelled at once")
    func late() async {
        let stop = StopSwitch()
        stop.stop(.abandon)
        let task = Task { while !Task.isCancelled { await Task.yield() } }
        stop.attach(task)
        #expect(task.isCancelled)
        await task.value
    }
}
