import Foundation
import Glibc
import Postgres
import TestSupport
import Testing

/// A migrated database of one's own with the roles a team would make, and the means to look into it.
final class Workbench {
    let database: TemporaryDatabase
    let connection: Connection
    /// Login with `rewardd_work` only: what the daemon uses.
    let workerURL: String
    /// Login with `rewardd_submit` only: what another service uses.
    let submitterURL: String

    init() throws {
        database = try TemporaryDatabase.migrated()
        connection = try database.connect()
        workerURL = try database.makeLogin(memberOf: ["rewardd_work"])
        submitterURL = try database.makeLogin(memberOf: ["rewardd_submit"])
    }

    /// A connection with only the right to submit.
    func submitter() throws -> Connection {
        try Connection(url: submitterURL, applicationName: "another-service")
    }

    /// Starts a daemon on this database.
    func daemon(settings: String = "", mediaRoot: String = Repository.pictures) throws
        -> DaemonProcess
    {
        try DaemonProcess(database: workerURL, mediaRoot: mediaRoot, settings: settings)
    }

    /// One number from a query.
    func number(_ query: Query) throws -> Int64 {
        let rows = try connection.execute(query)
        return try rows[0].int64("n")
    }

    /// One text from a query.
    func text(_ query: Query) throws -> String? {
        let rows = try connection.execute(query)
        return rows.count == 0 ? nil : try rows[0].textIfPresent("t")
    }

    /// Looks at a condition again and again until it holds; fails the test after the deadline. The
    /// processes under test are separate, so there is nothing to await but their effects.
    func wait(
        _ what: Comment,
        seconds: Double = 60,
        daemon: DaemonProcess? = nil,
        until condition: () throws -> Bool
    ) throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while try !condition() {
            guard ContinuousClock.now < deadline else {
                Issue.record("\(what) did not happen in \(seconds) s\n\(daemon?.log ?? "")")
                throw Timeout()
            }
            usleep(10_000)
        }
    }

    struct Timeout: Error {}

    /// Waits until the daemon has stored more than `count` results.
    func results(moreThan count: Int64 = 1, daemon: DaemonProcess) throws {
        try wait("more than \(count) results", daemon: daemon) {
            try number("SELECT count(*) AS n FROM rewardd.item_result") > count
        }
    }

    /// Waits until a job has ended and returns its state.
    func end(of job: Int64, daemon: DaemonProcess? = nil, seconds: Double = 90) throws -> String {
        try wait("the end of job \(job)", seconds: seconds, daemon: daemon) {
            try number(
                "SELECT count(*) AS n FROM rewardd.job WHERE job_id = \(job) AND finished_at IS NOT NULL"
            ) == 1
        }
        return try text("SELECT state::text AS t FROM rewardd.job WHERE job_id = \(job)") ?? ""
    }

    /// Enqueues as the submitter.
    func enqueue(
        kind: String,
        task: String = "image_generation",
        model: String = "tiny",
        items: String,
        options: String = "{}",
        as connection: Connection? = nil
    ) throws -> Int64 {
        let connection = try connection ?? submitter()
        let rows = try connection.execute(
            """
            SELECT rewardd.enqueue(kind => \(kind), task => \(task), model => \(model),
                items => \(items)::jsonb, options => \(options)::jsonb) AS n
            """
        )
        return try rows[0].int64("n")
    }

    /// JSON of `count` point-score items over the bundled pictures, no two questions alike.
    static func pointItems(_ count: Int) -> String {
        let images = ["left-right-1.png", "left-right-2.jpg", "stack-1.webp", "triangles-3.png"]
        let items = (0..<count).map { index in
            """
            {"id": "item-\(index)", "caption": "picture number \(index) of a red circle",
             "image": "\(Repository.pictures)/\(images[index % images.count])"}
            """
        }
        return "[" + items.joined(separator: ",") + "]"
    }
}
