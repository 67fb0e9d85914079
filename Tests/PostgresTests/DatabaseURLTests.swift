import Postgres
import TestSupport
import Testing

/// What breaks silently: a password in a log.
@Suite("Database URL")
struct DatabaseURLTests {
    private func failure(_ url: String) -> PostgresError? {
        #expect(throws: PostgresError.self) {
            _ = try Connection(url: url, applicationName: "tests")
        }
    }

    @Test("a server that is not there is a sentence with the address and without the password")
    func unreachable() {
        let error = failure("postgresql://rewardd:hunter22@127.0.0.1:1/rewards")
        #expect(error?.kind == .cannotConnect)
        #expect(
            error?.description.hasPrefix(
                "cannot connect to PostgreSQL at 127.0.0.1:1/rewards as rewardd: "
            ) == true
        )
        #expect(error?.description.contains("Connection refused") == true)
        #expect(error?.description.contains("hunter22") == false)
        #expect(error.map(RetryPolicy.isRetryable) == true)
    }

    @Test("a database that does not exist is a sentence")
    func missingDatabase() throws {
        let url = try TestCluster.shared().url(database: "nowhere")
        #expect(failure(url)?.message.contains("database \"nowhere\" does not exist") == true)
    }

    @Test(
        "text that is no URL is refused without being quoted",
        arguments: [
            "postgres//me:hunter22@host/db", "hunter22", "postgresql://me:hunter22@host:port%zz/db",
            "host=h password='hunter22", "pasword=hunter22", "postgresql://h/db?pass=hunter22",
            "a\u{0}hunter22", "postgresql://me:x@hunter22@host/db",
            "postgresql://me:12/hunter22@host/db",
            "postgresql://me:hunter22?x@host/db", "postgresql://me@:hunter22@127.0.0.1:1/db",
            "postgresql://h?connect_timeout=hunter22",
        ]
    )
    func malformed(_ url: String) {
        let error = failure(url)
        #expect(error?.description.contains("hunter22") == false)
        if error?.kind != .cannotConnect {
            #expect(error?.message.hasPrefix("database URL: expected postgresql://") == true)
        }
    }

    @Test("random damage to a URL never crashes and never shows the password")
    func fuzz() {
        let seed = UInt64.random(in: .min ... .max)
        var state = seed
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let original = Array("postgresql://me:hunter22@127.0.0.1:1/db?connect_timeout=2".utf8)
        let password = 16..<24
        for _ in 0..<300 {
            var bytes = original
            for _ in 0...next(3) {
                let position = next(bytes.count)
                if !password.contains(position) { bytes[position] = UInt8(32 + next(95)) }
            }
            let url = String(decoding: bytes, as: UTF8.self)
            do {
                let address = try ServerAddress(url: url)
                // "me.hunter22@…" has a user of that name and no password.
                let isSecret = url.contains(":hunter22@")
                #expect(
                    !isSecret || !address.description.contains("hunter22"),
                    "seed \(seed): \(url)"
                )
            } catch {
                #expect(!error.description.contains("hunter22"), "seed \(seed): \(url)")
            }
        }
    }

    @Test("the address shows host, port, database and user")
    func address() throws {
        let address = try ServerAddress(url: "postgresql://me:pw@db1:5433/rewards?sslmode=disable")
        #expect(address.description == "db1:5433/rewards as me")
        let socket = try ServerAddress(url: "host=/run/pg dbname=rewards user=me")
        #expect(socket.description == "/run/pg:5432/rewards as me")
    }

    @Test("what the URL says wins over the defaults")
    func precedence() throws {
        let url =
            try TestCluster.shared().url + "&application_name=mine&options=-c%20lock_timeout%3D7s"
        let connection = try Connection(url: url, applicationName: "tests")
        let row = try connection.execute(
            "SELECT current_setting('application_name') AS a, current_setting('lock_timeout') AS l"
        ).only()
        #expect(try row.text("a") == "mine" && row.text("l") == "7s")
    }
}
