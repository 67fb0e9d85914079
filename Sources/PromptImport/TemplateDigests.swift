package import Hashing
package import RewardModeling

/// What is known of UnifiedReward's templates without their words: for each its SHA-256, its length
/// and the scripts it stands in (CodeGoat24/UnifiedReward at ff6f520).
package struct TemplateDigests: Sendable {
    /// One template.
    package struct Entry: Sendable, Equatable {
        /// Its name, such as `IG-PAIR-LLAVA`.
        package let id: String
        /// SHA-256 of its text, placeholders as `{prompt}`, without the places of media before it.
        package let digest: Digest
        /// Length of the text in UTF-8.
        package let byteCount: Int
        /// Paths below the root of a checkout.
        package let files: [String]

        /// An entry from its parts.
        package init(id: String, digest: Digest, byteCount: Int, files: [String]) {
            self.id = id
            self.digest = digest
            self.byteCount = byteCount
            self.files = files
        }
    }

    /// In the order of their names.
    package let entries: [Entry]
    /// The places of media that scripts write before a text, longest first.
    package let prefixes: [String]

    /// A table from its parts.
    package init(entries: [Entry], prefixes: [String]) {
        self.entries = entries.sorted { $0.id < $1.id }
        self.prefixes = prefixes.sorted { $0.utf8.count > $1.utf8.count }
    }

    /// The table that is built in. Throws `.invalidPromptPack` when the build is broken.
    package static func builtin() throws(RewardModelingError) -> TemplateDigests {
        guard case .object(let file)? = PayloadValue(json: PackageResources.template_digests_json),
            case .object(let templates)? = file["templates"],
            case .array(let prefixes)? = file["prefixes"]
        else { throw .invalidPromptPack("template_digests.json: expected an object") }
        var entries: [Entry] = []
        for (id, value) in templates {
            guard case .object(let fields) = value, case .string(let hex)? = fields["sha256"],
                let digest = Digest(hex: hex), case .number(let count)? = fields["bytes"],
                case .array(let files)? = fields["files"]
            else { throw .invalidPromptPack("template_digests.json: \(id): expected an entry") }
            entries.append(
                Entry(
                    id: id,
                    digest: digest,
                    byteCount: Int(count),
                    files: files.compactMap(Self.text)
                )
            )
        }
        return TemplateDigests(entries: entries, prefixes: prefixes.compactMap(Self.text))
    }

    private static func text(_ value: PayloadValue) -> String? {
        if case .string(let text) = value { return text }
        return nil
    }
}
