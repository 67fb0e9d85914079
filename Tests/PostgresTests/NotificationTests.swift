import Postgres
import Synchronization
import TestSupport
import Testing
import Threading

/// What breaks silently: a wake-up that waits out its timeout because the notification was already
/// in libpq's queue.
@Suite("Notifications")
struct NotificationTests {
    private static let database = Result { try TemporaryDatabase.empty() }
    private let database: TemporaryDatabase

    init() throws {
        database = try Self.database.get()
    }

    /// Longer than anything here takes on a busy machine, shorter than the timeouts waited out by
    /// the fault.
    private let patience = Duration.seconds(20)

    private func seconds(_ body: () throws -> Void) rethrows -> Duration {
        try ContinuousClock().measure(body)
    }

    @Test("one that arrived during a query is returned at once")
    func duringQuery() throws {
        let listener = try database.connect()
        try listener.listen("lost wake-up")
        for number in 0..<20 {
            // The answer and the notification come in together; afterwards the socket is quiet.
            try listener.execute(
                "SELECT pg_notify('lost wake-up', \(String(number))), generate_series(1, 100)"
            )
            var arrived: [Notification] = []
            let taken = try seconds {
                arrived = try listener.waitForNotification(timeout: patience)
            }
            #expect(arrived == [Notification(channel: "lost wake-up", payload: String(number))])
            #expect(taken < .seconds(2))
        }
    }

    @Test("one of another session wakes the wait")
    func otherSession() throws {
        let listener = try database.connect()
        try listener.listen("news")
        let sender = try database.connect()
        var latencies: [Duration] = []
        for number in 0..<100 {
            try sender.execute("SELECT pg_notify('news', \(String(number)))")
            let sent = ContinuousClock.now
            let arrived = try listener.waitForNotification(timeout: patience)
            latencies.append(ContinuousClock.now - sent)
            #expect(arrived == [Notification(channel: "news", payload: String(number))])
        }
        latencies.sort()
        #expect(latencies[50] < .milliseconds(200))
    }

    @Test("without news the wait ends at its timeout, and at once by its wake descriptor")
    func timeoutAndWake() throws {
        let listener = try database.connect()
        try listener.listen("quiet")
        var arrived: [Notification] = []
        let taken = try seconds {
            arrived = try listener.waitForNotification(timeout: .milliseconds(20))
        }
        #expect(arrived.isEmpty && taken >= .milliseconds(20))
        let wake = WakeDescriptor()
        wake.wake()
        let woken = try seconds {
            arrived = try listener.waitForNotification(
                timeout: patience,
                wakeDescriptor: wake.rawValue
            )
        }
        #expect(arrived.isEmpty && woken < .seconds(2))
        wake.reset()
        let again = try seconds {
            _ = try listener.waitForNotification(
                timeout: .milliseconds(20),
                wakeDescriptor: wake.rawValue
            )
        }
        #expect(again >= .milliseconds(20))
    }

    @Test("channel names are taken literally", arguments: ["Mixed Case", "a\"b", "x; UNLISTEN *"])
    func channels(_ name: String) throws {
        let connection = try database.connect()
        try connection.listen(name)
        try connection.execute("SELECT pg_notify(\(name), '')")
        #expect(try connection.waitForNotification(timeout: patience).map(\.channel) == [name])
    }

    @Test("the listener reports, reconnects after a loss, takes channels later and stops")
    func listener() async throws {
        let log = LogCapture()
        let (events, continuation) = AsyncStream<NotificationListener.Event>.makeStream()
        let listener = NotificationListener(
            url: database.url,
            applicationName: "listener-under-test",
            channels: ["one"],
            logger: log.logger
        ) { continuation.yield($0) }
        listener.start()
        var iterator = events.makeAsyncIterator()
        #expect(await iterator.next() == .listening)

        let sender = try database.connect()
        try sender.execute("SELECT pg_notify('one', 'a')")
        #expect(await iterator.next() == .notification(Notification(channel: "one", payload: "a")))
        listener.add(channel: "two")
        #expect(await iterator.next() == .listening)
        try sender.execute("SELECT pg_notify('two', 'b')")
        #expect(await iterator.next() == .notification(Notification(channel: "two", payload: "b")))

        try sender.execute(
            """
            SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
            WHERE application_name = 'listener-under-test'
            """
        )
        #expect(await iterator.next() == .lost)
        #expect(await iterator.next() == .listening)
        try sender.execute("SELECT pg_notify('two', 'c')")
        #expect(await iterator.next() == .notification(Notification(channel: "two", payload: "c")))
        listener.stop()
        #expect(
            log.messages == [
                "database listener connected", "database listener lost",
                "database listener connected",
            ]
        )
    }
}
