import Foundation

/// The file that holds a server's key on its one line. It is read for each request, so that a key can be
/// changed while the daemon runs.
package struct KeyFile: Sendable {
    private let path: String

    /// Names the file; nothing is read yet.
    package init(path: String) {
        self.path = path
    }

    /// The key.
    ///
    /// Throws a `RemoteFault` for a file that cannot be read or holds no key; it never repeats what the
    /// file holds.
    package func read() throws(RemoteFault) -> String {
        guard let handle = FileHandle(forReadingAtPath: path),
            let data = try? handle.read(upToCount: 8193)
        else { throw problem("a file that can be read, got none") }
        guard let text = String(data: data, encoding: .utf8), data.count <= 8192 else {
            throw problem("one line of text, got \(data.count) bytes of something else")
        }
        let key = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !key.isEmpty, key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw problem("one line of visible ASCII characters, got something else")
        }
        return key
    }

    private func problem(_ expectation: String) -> RemoteFault {
        RemoteFault(.host, "api-key-file: \(path): expected \(expectation). Write the key into it.")
    }
}
