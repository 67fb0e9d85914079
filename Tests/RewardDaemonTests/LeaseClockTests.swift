import RewardDaemon
import Testing

@Suite("Trust in the lease")
struct LeaseClockTests {
    @Test("is live only while a recent heartbeat is confirmed")
    func trust() {
        let clock = LeaseClock()
        #expect(!clock.isLive)
        clock.confirmed(daemonID: 7, sentAt: ContinuousClock().now)
        #expect(clock.isLive && clock.daemonID == 7)
        clock.confirmed(daemonID: 7, sentAt: ContinuousClock().now - .seconds(13))
        #expect(!clock.isLive)
        clock.confirmed(daemonID: 7, sentAt: ContinuousClock().now)
        clock.lost()
        #expect(!clock.isLive)
    }

    @Test("whoever waits goes on at the next confirmed heartbeat, or when the process stops")
    func waiting() async {
        let clock = LeaseClock()
        async let first: Void = clock.untilLive()
        clock.confirmed(daemonID: 1, sentAt: ContinuousClock().now)
        await first
        clock.lost()
        let waiter = Task { await clock.untilLive() }
        while !waiter.isCancelled {
            clock.releaseWaiters()
            await Task.yield()
            waiter.cancel()
        }
        clock.releaseWaiters()
        clock.confirmed(daemonID: 2, sentAt: ContinuousClock().now)
        await waiter.value
    }
}
