import Glibc

/// What the scripted engines of all daemons answered, read from the journal that they append to: how many
/// questions, and how many of them for a second time.
struct AnswerJournal {
    /// All answers.
    private(set) var answers = 0
    /// Answers to questions that had been answered before.
    private(set) var repeats = 0

    /// 16 hexadecimal digits and a newline.
    private static let lineLength = 17

    private let path: String
    private var offset = 0
    private var seen: Set<UInt64> = []

    /// A journal that may not exist yet.
    init(path: String) { self.path = path }

    /// Reads what has come since.
    mutating func read() {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: Self.lineLength * 4096)
        while true {
            let count = pread(file, &buffer, buffer.count, offset)
            let lines = max(count, 0) / Self.lineLength
            guard lines > 0 else { return }
            for line in 0..<lines { note(buffer[(line * Self.lineLength)...].prefix(16)) }
            offset += lines * Self.lineLength
        }
    }

    private mutating func note(_ digits: ArraySlice<UInt8>) {
        guard let question = UInt64(String(decoding: digits, as: UTF8.self), radix: 16) else {
            return
        }
        answers += 1
        if !seen.insert(question).inserted { repeats += 1 }
    }
}
