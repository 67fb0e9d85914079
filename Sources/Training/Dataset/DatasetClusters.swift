import RewardModeling

/// The records of a dataset in clusters, and which of them are kept for validation.
struct DatasetClusters {
    /// The most records of one cluster.
    static let maximumRecords = 512

    /// Trained on.
    let train: [[DatasetRecord]]
    /// Measured on.
    let validation: [[DatasetRecord]]

    /// Neighbouring lines that show a picture in common make a cluster.
    ///
    /// A line whose `split` is given goes where it says. When no line says so, the clusters whose number
    /// falls on a grid of `validationFraction` are kept for validation: the same ones in every run.
    init(dataset: Dataset, validationFraction: Double) {
        let isSplit = dataset.records.contains { $0.split == .validation }
        let clusters = Self.clusters(of: dataset.records)
        var train: [[DatasetRecord]] = []
        var validation: [[DatasetRecord]] = []
        for (index, cluster) in clusters.enumerated() {
            let isKept =
                isSplit
                ? cluster[0].split == .validation
                : Int(Double(index + 1) * validationFraction) > Int(Double(index) * validationFraction)
            if isKept { validation.append(cluster) } else { train.append(cluster) }
        }
        self.train = train
        self.validation = validation
    }

    private static func clusters(of records: [DatasetRecord]) -> [[DatasetRecord]] {
        var clusters: [[DatasetRecord]] = []
        var shown: Set<VisualReference> = []
        for record in records {
            let belongs =
                clusters.last.map { cluster in
                    cluster.count < maximumRecords && cluster[0].split == record.split
                        && !shown.isDisjoint(with: record.shown)
                } ?? false
            if belongs {
                clusters[clusters.count - 1].append(record)
            } else {
                clusters.append([record])
                shown = []
            }
            shown.formUnion(record.shown)
        }
        return clusters
    }
}
