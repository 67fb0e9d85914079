import ArgumentParsing
import JSONReading

/// The items of one job as read from a JSONL file: one JSON object a line.
struct ItemsFile: Sendable {
    /// PostgreSQL refuses `jsonb` arrays of 256 MiB; refusing earlier names the remedy.
    static let largestDocument = 250 << 20

    /// How messages name the file.
    let name: String
    /// All items as one JSON array, UTF-8: a million of them are one buffer, not a million strings.
    private(set) var json: [UInt8] = [UInt8(ascii: "[")]
    /// For each item its line of the file, starting at 1.
    private(set) var lineNumbers: [Int] = []
    /// For each item the place in `json` where it ends.
    private var ends: [Int] = []

    /// Reads and checks the whole file.
    ///
    /// - Parameters:
    ///   - reader: The open file.
    ///   - transform: Completes each item, such as its media paths; its errors gain file and line.
    ///   - progress: Called now and then with items and bytes so far.
    /// - Throws: `CommandFailure` with `file:line: expected …, got …`.
    init(
        _ reader: consuming LineReader,
        transform: (JSONNode) throws(MediaPathError) -> JSONNode = { item throws(MediaPathError) in
            item
        },
        progress: (_ items: Int, _ bytes: Int) -> Void = { _, _ in }
    ) throws(CommandFailure) {
        name = reader.name
        while let line = try reader.next() {
            let number = reader.lineNumber
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
            let json = try Self.item(line, "\(name):\(number)", transform).json
            if !ends.isEmpty { self.json.append(UInt8(ascii: ",")) }
            self.json.append(contentsOf: json.utf8)
            guard self.json.count < Self.largestDocument else {
                throw CommandFailure(
                    .usage,
                    """
                    \(name):\(number): expected at most \(Self.largestDocument >> 20) MiB of items \
                    in one job, got more. Split the file into several jobs.
                    """
                )
            }
            ends.append(self.json.count)
            lineNumbers.append(number)
            if ends.count.isMultiple(of: 1000) { progress(ends.count, reader.bytesRead) }
        }
        self.json.append(UInt8(ascii: "]"))
        progress(ends.count, reader.bytesRead)
        guard !ends.isEmpty else {
            throw CommandFailure(
                .usage,
                "\(name): expected at least one item, got none. Give one JSON object a line."
            )
        }
    }

    /// The number of items.
    var count: Int64 { Int64(ends.count) }

    /// One item as compact JSON.
    func item(_ index: Int) -> ArraySlice<UInt8> {
        json[(index == 0 ? 1 : ends[index - 1] + 1)..<ends[index]]
    }

    /// The same sentence with `items[3].image` replaced by `items.jsonl:4: image`.
    ///
    /// The database counts items from 0; the user counts lines of the file from 1, blank ones too.
    func locating(_ message: String) -> String {
        guard let match = message.firstMatch(of: /items\[(\d+)\]\.?/),
            let index = Int(match.1), lineNumbers.indices.contains(index)
        else { return message }
        var rest = message[match.range.upperBound...]
        if rest.hasPrefix(":") { rest = rest.dropFirst() }
        return "\(name):\(lineNumbers[index]): \(rest.drop { $0 == " " })"
    }

    private static func item(
        _ line: [UInt8],
        _ place: String,
        _ transform: (JSONNode) throws(MediaPathError) -> JSONNode
    ) throws(CommandFailure) -> JSONNode {
        let value: JSONNode
        do throws(JSONSyntaxError) {
            value = try JSONReader.read(line)
        } catch {
            let before = String(decoding: line[..<min(error.offset, line.count)], as: UTF8.self)
            throw CommandFailure(
                .usage,
                "\(place):\(before.unicodeScalars.count + 1): \(error.message)."
            )
        }
        guard case .object = value else {
            throw CommandFailure(
                .usage,
                "\(place): expected a JSON object, got \(value.kind)."
            )
        }
        do throws(MediaPathError) {
            return try transform(value)
        } catch {
            throw CommandFailure(.usage, "\(place): \(error.message).")
        }
    }
}
