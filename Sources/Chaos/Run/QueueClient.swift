import Postgres

/// A login at the queue that opens its connection anew when a fault has cut it, and counts what it was
/// refused.
final class QueueClient {
    private let url: String
    private let name: String
    private let options: ConnectionOptions
    private var connection: Connection?

    /// How often a statement was refused, by SQLSTATE.
    private(set) var refusals: [String: Int] = [:]

    /// A client that connects at its first use.
    init(url: String, name: String, options: ConnectionOptions = ConnectionOptions()) {
        self.url = url
        self.name = name
        self.options = options
    }

    /// Runs `body` once. A lost connection is forgotten, and the error thrown: only the caller knows
    /// whether to repeat.
    func once<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        do {
            let open =
                try connection ?? Connection(url: url, applicationName: name, options: options)
            connection = open
            return try body(open)
        } catch let error as PostgresError {
            if error.isConnectionLost { connection = nil }
            throw error
        }
    }

    /// Runs `body` once for what may be refused or lost without harm; nil then.
    func attempt<Value>(_ body: (Connection) throws -> Value) -> Value? {
        do {
            return try once(body)
        } catch let error as PostgresError {
            if !error.isConnectionLost, let state = error.sqlState {
                refusals[state.rawValue, default: 0] += 1
            }
            return nil
        } catch {
            return nil
        }
    }

    /// Runs `body` once; true when it is done or cannot be done (the job has ended meanwhile), false when it
    /// is to be tried again, because the server was away or busy.
    func settle(_ body: (Connection) throws -> ResultSet) -> Bool {
        do {
            _ = try once(body)
            return true
        } catch let error as PostgresError where !error.isConnectionLost {
            if let state = error.sqlState { refusals[state.rawValue, default: 0] += 1 }
            return !RetryPolicy.isRetryable(error)
        } catch {
            return false
        }
    }

    /// Closes the connection.
    func close() { connection = nil }
}
