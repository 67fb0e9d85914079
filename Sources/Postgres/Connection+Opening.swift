import CLibPQ

extension Connection {
    /// libpq's parameters. The last of two values of one key wins, so what stands before `dbname`
    /// (the URL, which libpq expands there) is a default, and what stands after it is fixed.
    static func parameters(
        url: String,
        applicationName: String,
        options: ConnectionOptions
    ) -> KeyValuePairs<String, String> {
        [
            "application_name": applicationName,
            "connect_timeout": String(options.connectTimeoutSeconds),
            "keepalives": "1",
            "keepalives_idle": "5",
            "keepalives_interval": "2",
            "keepalives_count": "3",
            "tcp_user_timeout": "10000",
            "target_session_attrs": options.requiresReadWrite ? "read-write" : "any",
            "options": options.serverSettings,
            "dbname": url,
            "client_encoding": "UTF8",
        ]
    }

    /// Opens a connection or throws a sentence with host, port, database and user.
    static func open(
        _ parameters: some Collection<(key: String, value: String)>
    ) throws(PostgresError) -> OpaquePointer {
        let handle = CStringList(parameters.map(\.key)).withPointers { keywords in
            CStringList(parameters.map(\.value)).withPointers { values in
                PQconnectdbParams(keywords, values, 1)
            }
        }
        guard let handle else {
            throw PostgresError(.cannotConnect, "cannot connect to PostgreSQL: out of memory")
        }
        guard PQstatus(handle) == CONNECTION_OK else {
            let address = ServerAddress(of: handle)
            let reason = message(of: handle)
            PQfinish(handle)
            throw PostgresError(
                .cannotConnect,
                "cannot connect to PostgreSQL at \(address): \(reason)"
            )
        }
        return handle
    }

    /// libpq's last message on one line, with the password blotted out should it ever appear.
    static func message(of handle: OpaquePointer) -> String {
        let text = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
        var line = PostgresError.oneLine(text)
        if let pointer = PQpass(handle), pointer.pointee != 0 {
            line = line.split(separator: String(cString: pointer), omittingEmptySubsequences: false)
                .joined(separator: "********")
        }
        return line.isEmpty ? "the server closed the connection" : line
    }
}

/// C strings and the array of pointers to them, ended by NULL.
private struct CStringList {
    private var bytes: [CChar] = []
    private var offsets: [Int] = []

    /// The strings hold no NUL: they are constants or were checked.
    init(_ strings: [String]) {
        for string in strings {
            offsets.append(bytes.count)
            bytes.append(contentsOf: string.utf8CString)
        }
    }

    func withPointers<Result>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result
    ) -> Result {
        bytes.withUnsafeBufferPointer { buffer in
            var pointers = offsets.map { offset in buffer.baseAddress.map { $0 + offset } }
            pointers.append(nil)
            return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
        }
    }
}
