import Glibc

/// One connection through a ``FaultProxy``: two sockets and what is under way between them.
struct ProxiedConnection {
    private static let chunkSize = 65_536
    /// No more is read from one side than the other has room for.
    private static let bufferLimit = 1 << 20

    private let client: Int32
    private let server: Int32
    private var toServer: [UInt8] = []
    private var toClient: [UInt8] = []
    /// Set once an answer is being lost: reads the server's messages up to its end.
    private var lost: AnswerEnd?
    private var clientHasEnded = false
    private var serverHasEnded = false
    private var isBroken = false
    private var silence: FaultProxy.Silence?

    /// Takes over two non-blocking sockets.
    init(client: Int32, server: Int32) {
        self.client = client
        self.server = server
    }

    /// Whether nothing more will come through: one side is gone and what it said has been delivered, or the
    /// answer that was to be lost has been given.
    var isOver: Bool {
        isBroken || clientHasEnded && toServer.isEmpty || serverHasEnded && toClient.isEmpty
    }

    /// Closes both sockets.
    func close() {
        Glibc.close(client)
        Glibc.close(server)
    }

    private var holdsToServer: Bool { silence == .toServer || silence == .both }
    private var holdsToClient: Bool { silence == .toClient || silence == .both }

    /// What to wait for, client first. An entry without events stands for a side that is held back.
    mutating func entries(silence: FaultProxy.Silence?) -> [pollfd] {
        self.silence = silence
        let readsClient = !holdsToServer && !clientHasEnded && toServer.count < Self.bufferLimit
        let readsServer = !holdsToClient && !serverHasEnded && toClient.count < Self.bufferLimit
        return [
            Self.entry(client, reads: readsClient, writes: !holdsToClient && !toClient.isEmpty),
            Self.entry(server, reads: readsServer, writes: !holdsToServer && !toServer.isEmpty),
        ]
    }

    /// poll(2) reports the end of a peer also where it was not asked for; a side that is held back is left
    /// out altogether, or the loop would spin.
    private static func entry(_ socket: Int32, reads: Bool, writes: Bool) -> pollfd {
        let events = (reads ? POLLIN : 0) | (writes ? POLLOUT : 0)
        return pollfd(fd: events == 0 ? -1 : socket, events: Int16(events), revents: 0)
    }

    /// Moves what can be moved.
    ///
    /// - Parameters:
    ///   - silence: Which way nothing gets through now.
    ///   - clientEvents: What poll(2) saw of the client.
    ///   - serverEvents: What poll(2) saw of the server.
    ///   - takeMark: Says whether a statement from the client is one whose answer is to be lost.
    mutating func serve(
        silence: FaultProxy.Silence?,
        client clientEvents: Int16,
        server serverEvents: Int16,
        takeMark: (ArraySlice<UInt8>) -> Bool
    ) {
        self.silence = silence
        if clientEvents != 0, !holdsToServer, !clientHasEnded {
            let start = toServer.count
            clientHasEnded = !Self.read(client, into: &toServer)
            if lost == nil, toServer.count > start, takeMark(toServer[start...]) {
                lost = AnswerEnd()
            }
        }
        if serverEvents != 0, !holdsToClient, !serverHasEnded {
            let start = toClient.count
            serverHasEnded = !Self.read(server, into: &toClient)
            if var end = lost {
                if end.hasCome(in: toClient[start...]) { isBroken = true }
                lost = end
                toClient.removeSubrange(start...)
            }
        }
        if !holdsToServer { isBroken = !Self.write(server, from: &toServer) || isBroken }
        if !holdsToClient { isBroken = !Self.write(client, from: &toClient) || isBroken }
    }

    /// Appends what is there; false at the end of the stream.
    private static func read(_ socket: Int32, into buffer: inout [UInt8]) -> Bool {
        var chunk = [UInt8](repeating: 0, count: chunkSize)
        let count = recv(socket, &chunk, chunk.count, 0)
        if count > 0 {
            buffer += chunk[..<count]
            return true
        }
        return count < 0 && (errno == EAGAIN || errno == EINTR)
    }

    /// Removes what the socket takes; false when the peer is gone.
    private static func write(_ socket: Int32, from buffer: inout [UInt8]) -> Bool {
        guard !buffer.isEmpty else { return true }
        let count = send(socket, buffer, buffer.count, Int32(MSG_NOSIGNAL))
        if count > 0 { buffer.removeFirst(count) }
        return count >= 0 || errno == EAGAIN || errno == EINTR
    }
}

/// Finds the end of the server's answer to a statement: its message ReadyForQuery.
///
/// Every message is one byte of type and four of length (which counts itself), then its body; see
/// "Message Formats" in PostgreSQL's manual.
struct AnswerEnd {
    private var header: [UInt8] = []
    private var bodyLeft = 0

    /// Reads on; true once ReadyForQuery has begun, which the server sends after its commit.
    mutating func hasCome(in bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            if bodyLeft > 0 {
                let count = min(bodyLeft, rest.count)
                bodyLeft -= count
                rest = rest.dropFirst(count)
                continue
            }
            header.append(rest.removeFirst())
            guard header.count == 5 else { continue }
            if header[0] == UInt8(ascii: "Z") { return true }
            let length = header[1...].reduce(0) { $0 << 8 | Int($1) }
            bodyLeft = max(0, length - 4)
            header = []
        }
        return false
    }
}
