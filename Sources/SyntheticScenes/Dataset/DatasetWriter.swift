import Dispatch
import Foundation
import Synchronization

extension SceneDataset {
    /// Writes the dataset: PNG or PPM files in `pictures` and one line for each record in
    /// `dataset.jsonl`, all records of a group together. The lines appear under their final name
    /// only when everything is written.
    /// - directory: made if it is missing; refused if it has a `dataset.jsonl`.
    /// - progress: called now and then with the number of groups written.
    /// - Returns: the number of records.
    @discardableResult
    package func write(
        to directory: String,
        progress: (Int) -> Void = { _ in }
    ) throws(SyntheticScenesError) -> Int {
        let base = URL(filePath: directory, directoryHint: .isDirectory)
        let final = base.appending(path: "dataset.jsonl")
        if FileManager.default.fileExists(atPath: final.path) {
            throw .alreadyWritten(path: final.path)
        }
        do {
            try FileManager.default.createDirectory(
                at: base.appending(path: "pictures"),
                withIntermediateDirectories: true
            )
            let partial = base.appending(path: "dataset.jsonl.partial")
            try Data().write(to: partial)
            let lines = try FileHandle(forWritingTo: partial)
            defer { try? lines.close() }
            var count = 0
            for first in stride(from: 0, to: endIndex, by: Self.together) {
                let groups = first..<Swift.min(first + Self.together, endIndex)
                for written in try writeGroups(groups, to: base) {
                    try lines.write(contentsOf: Data(written.text.utf8))
                    count += written.count
                }
                progress(groups.upperBound)
            }
            try lines.synchronize()
            try FileManager.default.moveItem(at: partial, to: final)
            return count
        } catch {
            throw .unwritable(path: directory, reason: error.localizedDescription)
        }
    }

    /// Groups drawn and written at a time: a file system answers each of many small files late, so that
    /// one after the other takes three times as long.
    private static let together = 32

    /// Writes the pictures of some groups, several groups at once.
    ///
    /// - Returns: the lines of each group and how many they are, in order.
    private func writeGroups(
        _ groups: Range<Int>,
        to base: URL
    ) throws -> [(text: String, count: Int)] {
        let results = Mutex<[Int: Result<(text: String, count: Int), any Error>]>([:])
        DispatchQueue.concurrentPerform(iterations: groups.count) { offset in
            let group = groups.lowerBound + offset
            let result = Result {
                let batch = self[group]
                try writePictures(of: batch, to: base)
                return (text: text(of: batch), count: batch.records.count)
            }
            results.withLock { $0[group] = result }
        }
        return try results.withLock { results in
            try groups.compactMap { try results[$0]?.get() }
        }
    }

    private func writePictures(of batch: SceneBatch, to base: URL) throws {
        for (variant, frames) in batch.media.enumerated() {
            for (frame, picture) in (frames ?? []).enumerated() {
                let bytes =
                    switch options.fileFormat {
                    case .png: PNGEncoder().encode(picture)
                    case .ppm: picture.ppm
                    }
                let name = name(of: batch.group, variant, frame)
                try Data(bytes).write(to: base.appending(path: name))
            }
        }
    }

    /// "pictures/000012-3.png", and "pictures/000012-3-0.png" for the frames of clips.
    private func name(of group: SceneGroup, _ variant: Int, _ frame: Int) -> String {
        let digits = String(group.index)
        let number = String(repeating: "0", count: Swift.max(0, 6 - digits.count)) + digits
        let end = group.composition.isClip ? "-\(frame)" : ""
        return "pictures/\(number)-\(variant)\(end).\(options.fileFormat.rawValue)"
    }

    private func text(of batch: SceneBatch) -> String {
        batch.records.map { line(of: $0, in: batch) + "\n" }.joined()
    }

    /// One record as JSON. The texts come from a fixed vocabulary; of what JSON escapes, only the ends of
    /// lines occur.
    private func line(of record: SceneRecord, in batch: SceneBatch) -> String {
        var fields = [("id", Self.quoted(record.id)), ("task", Self.quoted(record.task.rawValue))]
        // Files know two splits; data to test with is no part of a training file.
        if options.split != .test { fields.append(("split", Self.quoted(options.split.rawValue))) }
        let medium = record.task.isOfClips ? "video" : "image"
        switch record.body {
        case .scoredMedia(let caption, let variant, let grade):
            fields += [
                ("caption", Self.quoted(caption)), (medium, media(variant, batch)),
                ("score", "\(grade)"),
            ]
        case .comparedMedia(let caption, let first, let second, let verdict, _):
            fields.append(("caption", Self.quoted(caption)))
            fields += compared(media(first, batch), media(second, batch), verdict)
        case .scoredAnswer(let question, let variant, let answer, let grade):
            fields += [
                ("question", Self.quoted(question)), (medium, media(variant, batch)),
                ("response", Self.quoted(answer)), ("score", "\(grade)"),
            ]
        case .comparedAnswers(let question, let variant, let first, let second, let verdict, _):
            fields += [("question", Self.quoted(question)), (medium, media(variant, batch))]
            fields += compared(Self.quoted(first), Self.quoted(second), verdict)
        case .conversation(let variants, let prompt, let response):
            let shown = variants.map { media($0, batch) }.joined(separator: ",")
            fields += [
                ("media", "[\(shown)]"), ("prompt", Self.quoted(prompt)),
                ("response", Self.quoted(response)),
            ]
        }
        return "{" + fields.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
    }

    private func compared(
        _ first: String,
        _ second: String,
        _ verdict: SceneVerdict
    ) -> [(String, String)] {
        if options.writesChosen {
            return verdict == .first
                ? [("chosen", first), ("rejected", second)]
                : [("chosen", second), ("rejected", first)]
        }
        return [("first", first), ("second", second), ("verdict", Self.quoted(verdict.rawValue))]
    }

    private func media(_ variant: Int, _ batch: SceneBatch) -> String {
        guard batch.group.composition.isClip else {
            return Self.quoted(name(of: batch.group, variant, 0))
        }
        let frames = (0..<options.frames).map {
            Self.quoted(name(of: batch.group, variant, $0))
        }
        return "{\"frames\":[\(frames.joined(separator: ","))]}"
    }

    private static func quoted(_ text: String) -> String {
        "\"\(text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\\n"))\""
    }
}
