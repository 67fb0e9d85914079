import Jobs
import Synchronization

/// The models a daemon can run, by name: those of its configuration and those trained here, which
/// come while it runs.
final class OfferedModels: Sendable {
    private struct Entry {
        let name: String
        var directory: String?
    }

    private let entries = Mutex<[Entry]>([])

    /// Offers the checkpoint in `directory` under a name, in place of what had the name before.
    func offer(name: String, directory: String) {
        entries.withLock { entries in
            if let place = entries.firstIndex(where: { $0.name == name }) {
                entries[place].directory = directory
            } else {
                entries.append(Entry(name: name, directory: directory))
            }
        }
    }

    /// Offers a model that a server answers for.
    func offerRemote(name: String) {
        entries.withLock { $0.append(Entry(name: name, directory: nil)) }
    }

    /// The names, in the order they came.
    var names: [String] { entries.withLock { $0.map(\.name) } }

    /// What to claim for in order to judge: the names, and a label for each two models of which one samples
    /// candidates for the other.
    ///
    /// - Parameter resting: Models that are left out.
    func judgingLabels(without resting: Set<String> = []) -> [String] {
        let names = names.filter { !resting.contains($0) }
        return names
            + names.flatMap { policy in
                names.filter { $0 != policy }.map {
                    ClaimedShard.samplingLabel(policy: policy, model: $0)
                }
            }
    }

    /// What to claim for in order to train from any of them that lies here.
    var trainingLabels: [String] {
        entries.withLock { $0.filter { $0.directory != nil }.map(\.name) }
            .map(ClaimedShard.trainingLabel(base:))
    }

    /// The directory of a model's checkpoint; nil for a name that is not offered, or by a server.
    func directory(of name: String) -> String? {
        entries.withLock { $0.first { $0.name == name }?.directory }
    }
}
