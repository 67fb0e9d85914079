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

    /// Closes the connection.
    func close() { connection = nil }
}
