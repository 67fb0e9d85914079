import Hashing
import JSONReading

/// A model as `/v1/models` lists it: its name, and what the server says about it that does not change by
/// itself.
///
/// Taken: `id`, `root`, `parent`, `owned_by` (the kind of server, whose arithmetic differs from that of others)
/// and `meta` (llama.cpp: sizes and counts). Left out: `created` and `permission`, which vLLM and llama.cpp make
/// up anew for each request, and limits of this deployment such as `max_model_len`.
struct ServedModel: Equatable {
    /// The name that requests give.
    let id: String
    /// Compact JSON of what is taken, in one order.
    let facts: String

    /// Finds the model of a name, or the only one. Throws `RemoteFault`.
    init(
        _ document: JSONNode,
        named name: String?,
        engine: String,
        url: String
    ) throws(RemoteFault) {
        guard case .array(let nodes)? = document["data"] else {
            throw RemoteFault(
                .malformed,
                "\(url): data: expected a list of models, got \(document["data"]?.kind ?? "nothing"). "
                    + "Does the engine's url end in /v1?"
            )
        }
        let ids = nodes.compactMap { $0["id"]?.text }
        let listed = ids.prefix(10).map { "\"\(ServerSentence.cleaned($0, hiding: nil))\"" }
            .joined(separator: ", ")
        let found: String? = name ?? (ids.count == 1 ? ids[0] : nil)
        guard let found, let node = nodes.first(where: { $0["id"]?.text == found }) else {
            let wanted = name.map { "the model \"\($0)\"" } ?? "one model"
            throw RemoteFault(
                .refused,
                "\(url): expected \(wanted), got \(ids.isEmpty ? "none" : listed). Say which by "
                    + "engine.\(engine).served-model."
            )
        }
        id = found
        let taken = ["id", "root", "parent", "owned_by", "meta"].compactMap { name in
            node[name].map { JSONNode.Member(name: name, value: Self.sorted($0)) }
        }
        facts = JSONNode.object(taken).json
    }

    /// Names the model in fingerprints: by what the operator calls its weights, else by what the server says.
    func digest(revision: String?) -> Digest {
        var hash = SHA256()
        hash.update(field: "remote model 1".utf8)
        hash.update(field: id.utf8)
        if let revision {
            hash.update(field: "revision".utf8)
            hash.update(field: revision.utf8)
        } else {
            hash.update(field: "facts".utf8)
            hash.update(field: facts.utf8)
        }
        return hash.digest()
    }

    private static func sorted(_ node: JSONNode) -> JSONNode {
        switch node {
        case .object(let members):
            .object(
                members.map { JSONNode.Member(name: $0.name, value: sorted($0.value)) }
                    .sorted { $0.name < $1.name }
            )
        case .array(let elements): .array(elements.map(sorted))
        default: node
        }
    }
}
