import ArgumentParsing
import FoundationEssentials
import Glibc
import JSONReading

/// How media come into an exported directory.
enum ExportMedia: String, CaseIterable, Sendable {
    /// Their bytes are copied.
    case copy
    /// Symbolic links to the files; uploads are copied.
    case link
    /// Rows hold absolute paths; uploads are copied.
    case path
}

/// A directory that appears whole or not at all.
///
/// It is filled beside its place under the name `<directory>.part` and then moved there. An earlier
/// export of the same kind, known by its `export.json`, is replaced; anything else is left alone.
struct ExportDirectory {
    /// The file that tells an export from other directories.
    static let manifest = "export.json"

    let path: String
    private let part: String
    private let handle: FileHandleWriter
    private let format: ExportFormat
    private let media: ExportMedia
    private let fetch: (String) throws -> [UInt8]
    private let names = Names()

    /// Names that were given out, so that a file shown twice is copied once.
    private final class Names {
        var given: [ExportedFile.Origin: String] = [:]
        var rows = 0
    }

    /// Starts an export. Removes what an interrupted one left in the `.part` directory.
    ///
    /// - Parameter fetch: The bytes of an upload by its digest.
    /// - Throws: `CommandFailure` when the place is taken or cannot be written.
    init(
        _ path: String,
        format: ExportFormat,
        media: ExportMedia,
        fetch: @escaping (String) throws -> [UInt8]
    ) throws {
        self.path = path
        self.format = format
        self.media = media
        self.fetch = fetch
        part = path + ".part"
        try Self.expectOwn(path)
        try Self.expectOwn(part)
        try Self.expectOwn(path + ".old")
        try? FileManager.default.removeItem(atPath: part)
        do {
            try FileManager.default.createDirectory(
                atPath: "\(part)/\(format.mediaDirectory)",
                withIntermediateDirectories: true
            )
        } catch {
            throw CommandFailure(.failure, "\(part): cannot make the directory: \(Self.reason()).")
        }
        // From here on the directory is known as an export's, should this process be killed.
        try FileHandleWriter.write(Array("{}\n".utf8), to: "\(part)/\(Self.manifest)")
        handle = try FileHandleWriter("\(part)/\(format.fileName)")
        if format.isArray { try handle.write("[") }
    }

    /// Adds a row.
    func append(_ row: JSONNode) throws {
        if format.isArray {
            try handle.write((names.rows == 0 ? "\n" : ",\n") + row.json)
        } else {
            try handle.write(row.json + "\n")
        }
        names.rows += 1
    }

    /// Brings a media file into the directory.
    ///
    /// - Returns: How a row names it.
    func place(_ file: ExportedFile, item: Int64) throws -> String {
        if let name = names.given[file.origin] { return name }
        let name: String
        switch (file.origin, media) {
        case (.stored(let digest), _):
            let bytes = try fetch(digest)
            let own = file.stem + MediaExtension.of(bytes)
            try FileHandleWriter.write(bytes, to: "\(part)/\(format.mediaDirectory)/\(own)")
            name = format.mediaPrefix + own
        case (.path(let source), .path): name = source
        case (.path(let source), _):
            let own = file.stem + MediaExtension.of(path: source)
            let target = "\(part)/\(format.mediaDirectory)/\(own)"
            try bring(source, to: target, item: item)
            name = format.mediaPrefix + own
        }
        names.given[file.origin] = name
        return name
    }

    /// Writes the manifest and moves the directory to its place.
    func finish(_ summary: JSONNode) throws {
        if format.isArray { try handle.write("\n]\n") }
        try handle.close()
        if format == .llamafactory {
            try FileHandleWriter.write(
                Array((Self.datasetInfo.json + "\n").utf8),
                to: "\(part)/dataset_info.json"
            )
        }
        try FileHandleWriter.write(
            Array((summary.json + "\n").utf8),
            to: "\(part)/\(Self.manifest)"
        )
        if rename(part, path) == 0 { return }
        // The place holds an earlier export. It steps aside for an instant, whole; should the second
        // rename fail, it comes back.
        let old = path + ".old"
        try? FileManager.default.removeItem(atPath: old)
        guard rename(path, old) == 0 else {
            throw CommandFailure(.failure, "\(path): cannot move it aside: \(Self.reason()).")
        }
        guard rename(part, path) == 0 else {
            let reason = Self.reason()
            rename(old, path)
            throw CommandFailure(.failure, "\(path): cannot move \(part) there: \(reason).")
        }
        try? FileManager.default.removeItem(atPath: old)
    }

    /// Leaves nothing behind after a failure.
    func discard() {
        try? handle.close()
        try? FileManager.default.removeItem(atPath: part)
    }

    private func bring(_ source: String, to target: String, item: Int64) throws {
        var information = stat()
        guard stat(source, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            throw CommandFailure(
                .failure,
                """
                items[\(item)]: expected a readable file '\(source)' on this machine, got \
                \(errno == 0 ? "something else" : Self.reason()). Use --media path to export paths \
                only.
                """
            )
        }
        do {
            if media == .link {
                try FileManager.default.createSymbolicLink(
                    atPath: target,
                    withDestinationPath: source
                )
            } else {
                try FileManager.default.copyItem(atPath: source, toPath: target)
            }
        } catch {
            throw CommandFailure(.failure, "items[\(item)]: cannot copy '\(source)': \(error).")
        }
    }

    private static func expectOwn(_ path: String) throws(CommandFailure) {
        var information = stat()
        guard lstat(path, &information) == 0 else { return }
        let isDirectory = information.st_mode & S_IFMT == S_IFDIR
        if isDirectory, access("\(path)/\(manifest)", F_OK) == 0 { return }
        let entries = isDirectory ? try? FileManager.default.contentsOfDirectory(atPath: path) : nil
        if let entries, entries.isEmpty { return }
        throw CommandFailure(
            .conflict,
            """
            \(path): expected a new directory or one of an earlier export, got \
            \(isDirectory ? "a directory of other files" : "a file"). Choose another name.
            """
        )
    }

    /// What LLaMA-Factory looks data sets up in.
    private static let datasetInfo = JSONNode.object([
        "rewardd": .object([
            "file_name": .string(ExportFormat.llamafactory.fileName),
            "formatting": .string("sharegpt"),
            "ranking": .bool(true),
            "columns": .object([
                "messages": .string("conversations"), "chosen": .string("chosen"),
                "rejected": .string("rejected"), "images": .string("images"),
                "videos": .string("videos"),
            ]),
        ])
    ])

    private static func reason() -> String { String(cString: strerror(errno)) }
}
