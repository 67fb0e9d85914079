import Glibc
import Synchronization
import Threading

/// A server of HTTP/1.1 on 127.0.0.1 whose answers a test writes, good and bad ones. One thread a connection,
/// one request a connection.
package final class HTTPStub: Sendable {
    /// What came in.
    package struct Request: Sendable {
        package let method: String
        package let path: String
        /// By name in lower case.
        package let fields: [String: String]
        package let body: [UInt8]
    }

    /// What goes out.
    package enum Reply: Sendable {
        /// A whole answer with its length.
        case answer(status: Int, type: String, fields: [String: String], body: [UInt8])
        /// These bytes, whatever they are; then the connection is closed.
        case bytes([UInt8])
        /// These bytes, then others again and again until the client has enough.
        case flood(head: [UInt8], chunk: [UInt8])
        /// Nothing, until the client goes.
        case nothing

        /// A JSON document.
        package static func json(_ text: String, status: Int = 200) -> Reply {
            .answer(status: status, type: "application/json", fields: [:], body: Array(text.utf8))
        }
    }

    private struct State {
        var connections: Set<Int32> = []
        var requests: [Request] = []
        var active = 0
        var mostActive = 0
        var hangUps = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
        var isStopped = false
    }

    /// Where it listens.
    package let port: UInt16
    private let listener: Int32
    private let handler: @Sendable (Request, _ number: Int) -> Reply
    private let state = Mutex(State())

    /// Why there is no server.
    package struct StartError: Error {
        let step: String
        let code: Int32
    }

    /// Listens on a port, 0 for any that is free.
    ///
    /// - Parameter handler: The reply to a request; requests are counted from 0. Runs on the connection's thread.
    package init(
        port: UInt16 = 0,
        handler: @escaping @Sendable (Request, _ number: Int) -> Reply
    ) throws {
        self.handler = handler
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw StartError(step: "socket", code: errno) }
        var one: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listening = listener
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listening, $0, length) == 0 && listen(listening, 64) == 0
                    && getsockname(listening, $0, &length) == 0
            }
        }
        guard isBound else { throw StartError(step: "bind", code: errno) }
        self.port = UInt16(bigEndian: address.sin_port)
        _ = NamedThread(name: "stub") { [weak self] in
            defer { close(listening) }
            while true {
                let connection = accept(listening, nil, nil)
                guard connection >= 0 else { return }
                guard let self, self.begin(connection) else {
                    close(connection)
                    return
                }
                _ = NamedThread(name: "stub") { self.serve(connection) }
            }
        }
    }

    deinit { stop() }

    /// The URL that engines are configured with.
    package var url: String { "http://127.0.0.1:\(port)/v1" }

    /// Everything that was asked.
    package var requests: [Request] { state.withLock { $0.requests } }

    /// The most requests that were being answered at a time.
    package var mostActive: Int { state.withLock { $0.mostActive } }

    /// Closes the port and every connection, as a server that is killed does.
    package func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            for connection in state.connections { shutdown(connection, Int32(SHUT_RDWR)) }
            // The thread that accepts wakes up and closes it.
            shutdown(listener, Int32(SHUT_RDWR))
        }
    }

    /// Waits until a client has left a connection on which it was told nothing.
    package func hungUp() async {
        await withCheckedContinuation { continuation in
            let has = state.withLock { state in
                if state.hangUps > 0 { return true }
                state.waiting.append(continuation)
                return false
            }
            if has { continuation.resume() }
        }
    }

    // MARK: - Connections

    private func begin(_ connection: Int32) -> Bool {
        state.withLock { state in
            guard !state.isStopped else { return false }
            state.connections.insert(connection)
            return true
        }
    }

    private func serve(_ connection: Int32) {
        defer {
            state.withLock { _ = $0.connections.remove(connection) }
            close(connection)
        }
        guard let request = read(connection) else { return }
        let number = state.withLock { state in
            state.requests.append(request)
            state.active += 1
            state.mostActive = max(state.mostActive, state.active)
            return state.requests.count - 1
        }
        defer { state.withLock { $0.active -= 1 } }
        switch handler(request, number) {
        case .answer(let status, let type, let fields, let body):
            var head = "HTTP/1.1 \(status) Whatever\r\nContent-Type: \(type)\r\n"
            for (name, value) in fields { head += "\(name): \(value)\r\n" }
            head += "Content-Length: \(body.count)\r\nConnection: close\r\n\r\n"
            _ = write(Array(head.utf8) + body, to: connection)
        case .bytes(let bytes):
            _ = write(bytes, to: connection)
        case .flood(let head, let chunk):
            guard write(head, to: connection) else { return }
            while write(chunk, to: connection) {}
        case .nothing:
            var byte: UInt8 = 0
            while recv(connection, &byte, 1, 0) > 0 {}
            let waiting = state.withLock { state in
                state.hangUps += 1
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }
    }

    private func read(_ connection: Int32) -> Request? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let head = bytes.firstRange(of: end) {
                let lines = String(decoding: bytes[..<head.lowerBound], as: UTF8.self)
                    .split(separator: "\r\n")
                var fields: [String: String] = [:]
                for line in lines.dropFirst() {
                    guard let colon = line.firstIndex(of: ":") else { continue }
                    fields[line[..<colon].lowercased()] = String(
                        line[line.index(after: colon)...].drop { $0 == " " }
                    )
                }
                let length = fields["content-length"].flatMap(Int.init) ?? 0
                let words = (lines.first ?? "").split(separator: " ")
                guard words.count == 3 else { return nil }
                if bytes.count >= head.upperBound + length {
                    return Request(
                        method: String(words[0]),
                        path: String(words[1]),
                        fields: fields,
                        body: Array(bytes[head.upperBound...])
                    )
                }
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
        }
    }

    private func write(_ bytes: [UInt8], to connection: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}
