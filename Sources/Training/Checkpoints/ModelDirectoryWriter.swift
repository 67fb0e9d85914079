import Foundation
import JSONReading
import Transformer

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Writes a trained model as an ordinary checkpoint directory.
///
/// Texts (configuration, tokenizer, template, preprocessing) come from the base model's directory; the
/// weights are one `model.safetensors`. All is written to `DIR.partial`, made durable and renamed, so a
/// directory called `DIR` is always whole.
package struct ModelDirectoryWriter: Sendable {
    /// Where the texts come from.
    package let baseDirectory: String
    /// How weights are stored.
    package let type: SavedType

    /// Takes a base model's directory.
    package init(baseDirectory: String, type: SavedType) {
        self.baseDirectory = baseDirectory
        self.type = type
    }

    /// Bytes of the weights of a model written so.
    package func byteCount(layout: ParameterLayout) -> Int {
        layout.parameterCount * type.byteCount
    }

    /// Writes `directory`. One that is already there is replaced: it is moved aside as `DIR.replaced`
    /// between two renames and then removed.
    ///
    /// - Throws: ``TrainingError/unwritableFile(path:reason:)``,
    ///   ``TrainingError/modelUnusable(_:)`` when the base model's texts cannot be read. What was at
    ///   `directory` is then still there.
    package func write(
        _ parameters: ParameterBuffer,
        to directory: String
    ) throws(TrainingError) {
        let partial = directory + ".partial"
        try remove(partial)
        guard mkdir(partial, 0o755) == 0 else { throw DurableFile.failure(partial) }
        do {
            for name in try textNames() { try copyText(name, to: partial) }
            try SafetensorsWriter(parameters: parameters, type: type).write(
                to: partial + "/model.safetensors"
            )
            try DurableFile.flushDirectory(partial)
            try moveIntoPlace(partial, directory)
        } catch {
            try? remove(partial)
            throw error
        }
    }

    private func moveIntoPlace(
        _ partial: String,
        _ directory: String
    ) throws(TrainingError) {
        let replaced = directory + ".replaced"
        let isThere = access(directory, F_OK) == 0
        if isThere {
            try remove(replaced)
            guard rename(directory, replaced) == 0 else { throw DurableFile.failure(directory) }
        }
        guard rename(partial, directory) == 0 else {
            let failure = DurableFile.failure(directory)
            if isThere { rename(replaced, directory) }
            throw failure
        }
        let parent = directory.lastIndex(of: "/").map { String(directory[..<$0]) } ?? "."
        try DurableFile.flushDirectory(parent.isEmpty ? "/" : parent)
        if isThere { try remove(replaced) }
    }

    /// Files of the base model that describe it; no weights, and nothing below its directory.
    private func textNames() throws(TrainingError) -> [String] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: baseDirectory)
        } catch {
            throw .modelUnusable(
                "\(baseDirectory): expected a checkpoint directory, got \"\(error)\". Correct the "
                    + "path of the base model."
            )
        }
        return names.filter { name in
            let isText = Self.textSuffixes.contains { name.hasSuffix($0) }
            return isText && !name.hasSuffix(".index.json") && !name.hasPrefix(".")
        }.sorted()
    }

    private static let textSuffixes = [".json", ".jinja", ".txt", ".model"]
    /// A tokenizer has up to some 20 MB.
    private static let textLimit = 256 << 20

    private func copyText(_ name: String, to partial: String) throws(TrainingError) {
        var bytes: [UInt8]
        do {
            let file = try MappedFile(path: baseDirectory + "/" + name)
            guard file.bytes.count <= Self.textLimit else { return }
            bytes = Array(file.bytes)
        } catch {
            throw .modelUnusable("\(error)")
        }
        if name == "config.json" { bytes = configBytes(bytes) }
        let file = try DurableFile(path: partial + "/" + name)
        var failed: TrainingError?
        bytes.withUnsafeBytes { bytes in
            do throws(TrainingError) { try file.write(bytes) } catch { failed = error }
        }
        if let failed { throw failed }
        try file.commit()
    }

    /// config.json with the number type of the new weights wherever it names one.
    private func configBytes(_ bytes: [UInt8]) -> [UInt8] {
        guard let document = try? JSONReader.read(bytes) else { return bytes }
        let changed = withType(document)
        return changed == document ? bytes : Array((changed.json + "\n").utf8)
    }

    private func withType(_ node: JSONNode) -> JSONNode {
        guard case .object(let members) = node else { return node }
        return .object(
            members.map { member in
                let namesType = member.name == "torch_dtype" || member.name == "dtype"
                return JSONNode.Member(
                    name: member.name,
                    value: namesType && member.value.text != nil
                        ? .string(type.configName) : withType(member.value)
                )
            }
        )
    }

    /// Removes a directory this writer left behind.
    private func remove(_ path: String) throws(TrainingError) {
        guard access(path, F_OK) == 0 else { return }
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw .unwritableFile(path: path, reason: "cannot remove what is left there: \(error)")
        }
    }
}
