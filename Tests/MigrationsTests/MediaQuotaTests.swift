import Postgres
import TestSupport
import Testing

@Suite("uploaded files: quotas and removal")
struct MediaQuotaTests {
    let queue: QueueFixture
    let admin: QueueFixture
    let alice: QueueFixture
    let bob: QueueFixture

    init() throws {
        queue = try QueueFixture()
        admin = try queue.login("rewardd_admin")
        alice = try queue.login("rewardd_submit")
        bob = try queue.login("rewardd_submit")
    }

    private func name(_ user: QueueFixture) throws -> String {
        try user.text("SELECT session_user::text AS value")
    }

    @discardableResult
    private func put(_ user: QueueFixture, _ letter: String, bytes: Int = 100) throws -> String {
        try user.text(
            "SELECT rewardd.put_media(convert_to(repeat(\(letter), \(bytes)::int), 'UTF8')) AS value"
        )
    }

    private func limit(_ role: String?, _ bytes: Int?) throws {
        try admin.connection.execute(
            "SELECT rewardd.set_media_quota(\(role)::name, \(bytes)::bigint)"
        )
    }

    /// What a user sees: files, bytes, limit.
    private func status(_ user: QueueFixture) throws -> [String] {
        try user.list(
            "SELECT concat_ws(' ', files, bytes, quota) AS value FROM rewardd.media_status"
        )
    }

    private func submit(_ user: QueueFixture, _ digest: String) throws -> Int {
        try user.number(
            """
            SELECT rewardd.enqueue('point_score', jsonb_build_array(jsonb_build_object('caption', 'c',
                'image', jsonb_build_object('media', \(digest)::text))), 'image_generation', 'm')
                AS value
            """
        )
    }

    private func end(_ job: Int, _ user: QueueFixture) throws {
        _ = try user.cancel(job)
        try queue.connection.execute(
            "UPDATE rewardd.job SET finished_at = now() - interval '2 days' WHERE job_id = \(job)"
        )
    }

    /// Makes all uploads look old and prunes what ended over a day ago.
    private func prune() throws {
        try queue.connection.execute(
            "UPDATE rewardd.media_upload SET created_at = created_at - interval '2 days'"
        )
        while try queue.number("SELECT rows AS value FROM rewardd.prune_jobs('1 day')") > 0 {}
    }

    private var stored: Int {
        get throws { try queue.number("SELECT count(*) AS value FROM rewardd.media") }
    }

    @Test("a submitter stores no more than its quota, and is told the numbers and the way out")
    func refused() throws {
        try limit(nil, 250)
        try put(alice, "a")
        try put(alice, "b")
        try put(alice, "a")
        #expect(try status(alice) == ["2 200 250"])
        let error = try alice.refusal { try put(alice, "c") }
        #expect(error?.sqlState == .wrongState)
        #expect(
            error?.message
                == #"media: expected at most 250 bytes stored by "\#(try name(alice))", got 200 and 100 more"#
        )
        #expect(error?.hint?.contains("rewardd.drop_media") == true)
        #expect(try status(alice) == ["2 200 250"])
        // Others are not concerned; a file that two have counts for both.
        try put(bob, "a")
        #expect(try status(bob) == ["1 100 250"])
        #expect(try stored == 2)
        try put(alice, "c", bytes: 50)
        #expect(try status(alice) == ["3 250 250"])
    }

    @Test("a login's own limit counts before those of its roles, and these before the general one")
    func limits() throws {
        try put(alice, "a")
        #expect(try status(alice) == ["1 100 4294967296"])
        try limit("rewardd_submit", 1000)
        #expect(try status(alice) == ["1 100 1000"])
        try limit(name(alice), 50)
        #expect(try status(alice) == ["1 100 50"])
        #expect(try alice.refusal { try put(alice, "b") } != nil)
        try put(alice, "a")
        try limit(name(alice), nil)
        #expect(try status(alice) == ["1 100 1000"])
        for (role, bytes) in [(nil, nil), ("nobody of this name", 5), (nil, -1)]
            as [(String?, Int?)]
        {
            #expect(try admin.refusal { try limit(role, bytes) }?.hint != nil)
        }
        #expect(try status(bob).isEmpty)
        #expect(try status(queue.login("rewardd_read")) == ["1 100 1000"])
    }

    @Test("uploads at once are counted each, and do not exceed the quota together")
    func concurrent() throws {
        try limit(nil, 1000)
        let url = queue.database.cluster.url(database: queue.database.name, user: try name(alice))
        let database = queue.database
        let stored = try onThreads(4) { thread in
            let own = try QueueFixture(database: database, url: url)
            var stored = 0
            for number in 0..<10 {
                let text = "\(thread)-\(number)-" + String(repeating: "x", count: 95)
                let refused = try own.refusal {
                    try own.connection.execute(
                        "SELECT rewardd.put_media(convert_to(left(\(text), 99), 'UTF8'))"
                    )
                }
                if refused == nil { stored += 1 }
            }
            return stored
        }
        #expect(stored.reduce(0, +) == 10)
        #expect(try status(alice) == ["10 990 1000"])
    }

    @Test("a file goes with the last job of its uploader, and its bytes with the last uploader")
    func removal() throws {
        let digest = try put(alice, "a")
        try put(bob, "a")
        let first = try submit(alice, digest)
        let second = try submit(alice, digest)
        let other = try submit(bob, digest)
        try end(first, alice)
        try prune()
        #expect(try status(alice).first?.hasPrefix("1 100 ") == true)
        try end(second, alice)
        try prune()
        #expect(try status(alice).first?.hasPrefix("0 0 ") == true)
        #expect(try stored == 1)
        #expect(
            try alice.refusal { _ = try submit(alice, digest) }?.message.contains("unknown digest")
                == true
        )
        try end(other, bob)
        try prune()
        #expect(try stored == 0)
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.media_upload") == 0)
    }

    @Test("a file that a schedule names stays, as does one uploaded again today or never used")
    func kept() throws {
        let scheduled = try put(alice, "a")
        try alice.connection.execute(
            """
            SELECT rewardd.create_schedule('nightly', '@yearly', 'pair_rank',
                jsonb_build_array(jsonb_build_object('caption', 'c', 'first', jsonb_build_object('frames',
                    jsonb_build_array('x.png', jsonb_build_object('media', \(scheduled)::text))),
                    'second', jsonb_build_object('frames', jsonb_build_array('y.png', 'z.png')))),
                'video_generation', 'm')
            """
        )
        let again = try put(alice, "b")
        let unused = try put(alice, "c")
        for digest in [scheduled, again] { try end(submit(alice, digest), alice) }
        try queue.connection.execute(
            "UPDATE rewardd.media_upload SET created_at = created_at - interval '2 hours'"
        )
        #expect(try put(alice, "b") == again)
        while try queue.number("SELECT rows AS value FROM rewardd.prune_jobs('1 day')") > 0 {}
        #expect(try stored == 3)
        try prune()
        #expect(try stored == 3)
        try queue.connection.execute("UPDATE rewardd.media_upload SET check_at = now()")
        try prune()
        #expect(try stored == 1)
        #expect(unused != again)
        #expect(
            try alice.refusal {
                try alice.connection.execute("SELECT rewardd.drop_media(\(scheduled))")
            } != nil
        )
        try alice.connection.execute("SELECT rewardd.drop_schedule('nightly')")
        try alice.connection.execute("SELECT rewardd.drop_media(\(scheduled))")
        #expect(try stored == 0)
    }

    @Test("drop_media removes the caller's own unused file and nothing else")
    func dropped() throws {
        let digest = try put(alice, "a")
        let job = try submit(alice, digest)
        func drop(_ user: QueueFixture, _ digest: String) throws -> PostgresError? {
            try user.refusal { try user.connection.execute("SELECT rewardd.drop_media(\(digest))") }
        }
        #expect(try drop(alice, digest)?.sqlState == .wrongState)
        for wrong in [digest.uppercased(), "x", ""] {
            #expect(try drop(alice, wrong)?.sqlState == .noDataFound)
        }
        #expect(try drop(bob, digest)?.sqlState == .noDataFound)
        try end(job, alice)
        while try queue.number("SELECT rows AS value FROM rewardd.prune_jobs('1 day')") > 0 {}
        #expect(try drop(alice, digest) == nil)
        #expect(try stored == 0)
        #expect(try put(alice, "a") == digest)
    }
}
