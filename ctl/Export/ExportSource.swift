import JSONReading

/// One row of `SQLAPI.pairs`: an item's preference pair with what it was judged against.
struct ExportSource {
    /// The item's place in its job.
    let index: Int64
    /// The caller's own name for the item.
    let id: String?
    /// The item without its candidates.
    let input: JSONNode
    let chosen: JSONNode
    let rejected: JSONNode
    /// The whole row.
    let row: JSONNode

    init(_ row: JSONNode) {
        self.row = row
        index = row["item_index"]?.integer ?? 0
        id = row["item_id"]?.text
        input = row["input"] ?? .null
        chosen = row["chosen"] ?? .null
        rejected = row["rejected"] ?? .null
    }

    /// The number of a score as it is stored.
    func number(_ name: String) -> JSONNode { row[name] ?? .null }

    /// What is asked or described.
    var prompt: String {
        input["question"]?.text ?? input["caption"]?.text ?? input["instruction"]?.text ?? ""
    }

    /// The picture or clip that the answers are about.
    var shown: JSONNode? { input["image"] ?? input["video"] }
}

/// A media file an exported row names.
struct ExportedFile: Equatable {
    /// Where the bytes are.
    enum Origin: Hashable {
        /// A file.
        case path(String)
        /// An upload, by its SHA-256 in hexadecimal.
        case stored(String)
    }

    let origin: Origin
    /// Its name without directory and extension, such as `3_image`.
    let stem: String
}

/// Media of a candidate or an input in the order they are shown.
enum ExportedMedia {
    /// The files a reference names: one, or the frames of a clip. Empty for a text.
    static func files(_ node: JSONNode?, stem: String) -> [ExportedFile] {
        guard let node else { return [] }
        if case .array(let frames)? = node["frames"] {
            return frames.enumerated().flatMap { files($1, stem: "\(stem)_\(padded($0))") }
        }
        return origin(node).map { [ExportedFile(origin: $0, stem: stem)] } ?? []
    }

    /// Whether a reference is a clip given by its frames.
    static func isFrames(_ node: JSONNode?) -> Bool { node?["frames"] != nil }

    private static func origin(_ node: JSONNode) -> ExportedFile.Origin? {
        if let digest = node["media"]?.text { return .stored(digest) }
        return (node.text ?? node["path"]?.text).map { .path($0) }
    }

    private static func padded(_ number: Int) -> String {
        String(repeating: "0", count: max(0, 3 - String(number).count)) + String(number)
    }
}
