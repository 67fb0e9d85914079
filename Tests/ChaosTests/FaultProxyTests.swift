import Foundation
import Postgres
import TestSupport
import Testing

@testable import Chaos

@Suite("The proxy of faults")
final class FaultProxyTests {
    private let database: TemporaryDatabase
    private let direct: Connection
    private let proxy: FaultProxy
    private let url: String

    init() throws {
        database = try TemporaryDatabase.empty()
        direct = try database.connect()
        let server = try direct.execute(
            """
            SELECT current_setting('unix_socket_directories') AS directory,
                current_setting('port') AS port
            """
        ).only()
        let directory = "/tmp/rewardd-proxy-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        let port = try server.text("port")
        proxy = try FaultProxy(
            to: "\(server.text("directory"))/.s.PGSQL.\(port)",
            directory: directory
        )
        url = "postgresql:///\(database.name)?host=\(directory)&port=\(port)&user=postgres"
        try direct.execute("CREATE TABLE t (n int)")
    }

    deinit {
        proxy.stop()
        try? FileManager.default.removeItem(atPath: proxy.directory)
    }

    private func connect(answerSeconds: Double = 30) throws -> Connection {
        var options = ConnectionOptions()
        options.answerTimeout = .seconds(answerSeconds)
        return try Connection(url: url, applicationName: "tests", options: options)
    }

    private func rows() throws -> Int { try direct.execute("SELECT n FROM t").count }

    @Test("lets everything through, large and small")
    func passes() throws {
        let connection = try connect()
        let text = String(repeating: "x", count: 3_000_000)
        let row = try connection.execute("SELECT \(text)::text || \(text)::text AS t").only()
        #expect(try row.text("t").utf8.count == 6_000_000)
        #expect(proxy.cuts == 0)
    }

    @Test("loses the answer to a marked statement that the server has carried out, so many times")
    func cuts() throws {
        proxy.cut(after: "INSERT", times: 2)
        for _ in 0..<2 {
            let connection = try connect()
            try connection.execute("SELECT 1")
            let error = #expect(throws: PostgresError.self) {
                try connection.execute("INSERT INTO t VALUES (1)")
            }
            #expect(error?.isConnectionLost == true)
        }
        #expect(try rows() == 2)
        try connect().execute("INSERT INTO t VALUES (3)")
        #expect(try rows() == 3)
        #expect(proxy.cuts == 2)
    }

    @Test("an answer of many messages is lost to its end, the commit included")
    func cutsLongAnswer() throws {
        proxy.cut(after: "generate_series")
        let connection = try connect()
        let error = #expect(throws: PostgresError.self) {
            try connection.execute(
                "INSERT INTO t SELECT * FROM generate_series(1, 200000) RETURNING n"
            )
        }
        #expect(error?.isConnectionLost == true)
        #expect(try rows() == 200_000)
    }

    @Test("silence in any direction is a loss when the answer is overdue", arguments: [0, 1, 2])
    func silence(way: Int) throws {
        let connection = try connect(answerSeconds: 0.3)
        let start = ContinuousClock.now
        proxy.silence(FaultProxy.Silence.allCases[way])
        let error = #expect(throws: PostgresError.self) {
            try connection.execute("INSERT INTO t VALUES (1)")
        }
        #expect(error?.kind == .connectionLost)
        #expect(error?.message.hasPrefix("no answer within") == true)
        #expect(!connection.isAlive)
        #expect(ContinuousClock.now - start < .seconds(20))
        proxy.heal()
        // What was held back arrives all the same: it was sent.
        let deadline = ContinuousClock.now + .seconds(20)
        while try rows() == 0, ContinuousClock.now < deadline { usleep(10_000) }
        #expect(try rows() == 1)
        try connect().execute("SELECT 1")
    }

    @Test("a statement larger than all buffers does not block for ever where nothing gets through")
    func silenceWhileSending() throws {
        let connection = try connect(answerSeconds: 0.3)
        proxy.silence(.both)
        let text = String(repeating: "x", count: 8_000_000)
        let error = #expect(throws: PostgresError.self) {
            try connection.execute("SELECT length(\(text)::text)")
        }
        #expect(error?.message.hasPrefix("no answer within") == true)
        proxy.heal()
    }

    @Test("a silence shorter than patience is only a delay")
    func delay() throws {
        let connection = try connect()
        proxy.silence(.toClient)
        let proxy = proxy
        Thread.detachNewThread {
            usleep(200_000)
            proxy.heal()
        }
        #expect(try connection.execute("SELECT 7 AS n").only().int("n") == 7)
    }

    @Test("finds the end of an answer wherever its bytes are cut")
    func answerEnd() {
        // DataRow with three bytes of body that look like an end, then CommandComplete, then ReadyForQuery.
        let bytes: [UInt8] =
            [UInt8(ascii: "D"), 0, 0, 0, 7, UInt8(ascii: "Z"), UInt8(ascii: "Z"), 0]
            + [UInt8(ascii: "C"), 0, 0, 0, 4] + [UInt8(ascii: "Z"), 0, 0, 0, 5, UInt8(ascii: "I")]
        for cut in 0..<bytes.count {
            var end = AnswerEnd()
            let first = end.hasCome(in: bytes[..<cut])
            let second = end.hasCome(in: bytes[cut...])
            #expect(first == (cut >= 18))
            #expect(first || second)
        }
        var end = AnswerEnd()
        let early = end.hasCome(in: bytes[..<13])
        #expect(!early)
    }
}
