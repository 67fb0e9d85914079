import RewardModeling

/// The records of a dataset in clusters, and which of them are kept for validation.
struct DatasetClusters {
    /// The most records of one cluster.
    static let maximumRecords = 512

    /// Trained on.
    let train: [[DatasetRecord]]
    /// Measured on.
    let validation: [[DatasetRecord]]

    /// Lines that show a picture in common, directly or through others, make a cluster, wherever they
    /// stand; clusters and their lines keep the order of the file.
    ///
    /// A line whose `split` is given goes where it says. When no line is marked for validation, those of the
    /// unmarked clusters whose number falls on a grid of `validationFraction` are kept for it: the same ones
    /// in every run.
    init(dataset: Dataset, validationFraction: Double) {
        let isSplit = dataset.records.contains { $0.split == .validation }
        let clusters = Self.clusters(of: dataset.records)
        var train: [[DatasetRecord]] = []
        var validation: [[DatasetRecord]] = []
        for (index, cluster) in clusters.enumerated() {
            let isKept =
                isSplit
                ? cluster[0].split == .validation
                : cluster[0].split == nil
                    && Int(Double(index + 1) * validationFraction)
                        > Int(Double(index) * validationFraction)
            if isKept { validation.append(cluster) } else { train.append(cluster) }
        }
        self.train = train
        self.validation = validation
    }

    private static func clusters(of records: [DatasetRecord]) -> [[DatasetRecord]] {
        var components = Components(count: records.count)
        var shownBy: [ShownKey: Int] = [:]
        for (index, record) in records.enumerated() {
            for shown in record.shown {
                let key = ShownKey(shown: shown, split: record.split)
                if let other = shownBy[key] {
                    components.join(other, index)
                } else {
                    shownBy[key] = index
                }
            }
        }
        var clusters: [[DatasetRecord]] = []
        var places: [Int: Int] = [:]
        for (index, record) in records.enumerated() {
            let root = components.root(of: index)
            if let place = places[root], clusters[place].count < maximumRecords {
                clusters[place].append(record)
            } else {
                places[root] = clusters.count
                clusters.append([record])
            }
        }
        return clusters
    }
}

/// A picture or clip in one split: a cluster never reaches across splits.
private struct ShownKey: Hashable {
    let shown: VisualReference
    let split: DatasetRecord.Split?
}

/// Disjoint sets with path halving (Tarjan and van Leeuwen 1984).
private struct Components {
    private var parents: [Int]

    init(count: Int) { parents = Array(0..<count) }

    /// The least member of the set of `index`.
    mutating func root(of index: Int) -> Int {
        var index = index
        while parents[index] != index {
            parents[index] = parents[parents[index]]
            index = parents[index]
        }
        return index
    }

    mutating func join(_ one: Int, _ other: Int) {
        let (first, second) = (root(of: one), root(of: other))
        parents[max(first, second)] = min(first, second)
    }
}
