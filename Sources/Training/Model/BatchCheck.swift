import Transformer

extension TrainingBatch {
    /// Refuses a batch that does not fit a model: ids beyond the vocabulary, tiles of another size or
    /// number, positions beyond the model's, nothing to compute.
    ///
    /// - Throws: ``TrainingError/invalidBatch(subject:expected:got:)``.
    package func check(against layout: ParameterLayout) throws(TrainingError) {
        let config = layout.config
        let size = config.vision.imageSize
        guard tiles.count.isMultiple(of: 3 * size * size) else {
            throw .invalidBatch(
                subject: "tiles",
                expected: "whole tiles of 3 × \(size) × \(size) numbers",
                got: "\(tiles.count) numbers"
            )
        }
        let tileCount = tiles.count / (3 * size * size)
        for (index, image) in images.enumerated() {
            try image.check("images[\(index)]", tileCount: tileCount)
        }
        let packing = ImagePacking(config)
        let imageRows = images.map { packing.tokenCount(of: $0.packing) }
        for (index, sequence) in sequences.enumerated() {
            try sequence.check(
                "sequences[\(index)]",
                imageRows: imageRows,
                vocabularySize: layout.vocabularySize,
                maximumPositions: config.text.maximumPositions
            )
        }
        guard !sequences.isEmpty else {
            throw .invalidBatch(
                subject: "sequences",
                expected: "at least one with rows",
                got: "none"
            )
        }
    }
}

extension BatchImage {
    /// Refuses a picture whose tiles are missing or do not make up its packing.
    fileprivate func check(_ subject: String, tileCount: Int) throws(TrainingError) {
        let expected: Int
        switch packing {
        case .frame, .singleTile: expected = 1
        case .pooledFrames(let count): expected = max(count, 1)
        case .anyres(let rows, let columns, let width, let height):
            guard (1...1024).contains(rows), (1...1024).contains(columns), width > 0, height > 0
            else {
                throw .invalidBatch(
                    subject: subject,
                    expected: "a grid of tiles and a size in pixels",
                    got: "\(rows) × \(columns) tiles of \(width) × \(height) pixels"
                )
            }
            expected = 1 + rows * columns
        }
        guard tiles.count == expected else {
            throw .invalidBatch(
                subject: subject,
                expected: "\(expected) tiles",
                got: "\(tiles.count)"
            )
        }
        guard let outside = tiles.first(where: { !(0..<tileCount).contains($0) }) else { return }
        throw .invalidBatch(
            subject: subject,
            expected: "tiles below \(tileCount)",
            got: "\(outside)"
        )
    }
}

extension BatchSequence {
    fileprivate func check(
        _ subject: String,
        imageRows: [Int],
        vocabularySize: Int,
        maximumPositions: Int
    ) throws(TrainingError) {
        var prefixRows = 0
        for piece in prefix {
            switch piece {
            case .tokens(let ids):
                try checkIDs(ids, subject + ".prefix", vocabularySize, least: 0)
                prefixRows += ids.count
            case .image(let index):
                guard imageRows.indices.contains(index) else {
                    throw .invalidBatch(
                        subject: subject + ".prefix",
                        expected: "an image below \(imageRows.count)",
                        got: "\(index)"
                    )
                }
                prefixRows += imageRows[index]
            }
        }
        for (index, branch) in branches.enumerated() {
            let subject = "\(subject).branches[\(index)]"
            try checkIDs(branch.tokens, subject + ".tokens", vocabularySize, least: 0)
            try checkIDs(branch.targets, subject + ".targets", vocabularySize, least: -1)
            guard !branch.tokens.isEmpty, branch.targets.count == branch.tokens.count else {
                throw .invalidBatch(
                    subject: subject,
                    expected: "at least one token and a target for each",
                    got: "\(branch.tokens.count) tokens and \(branch.targets.count) targets"
                )
            }
            guard branch.weight >= 0, branch.weight.isFinite else {
                throw .invalidBatch(
                    subject: subject + ".weight",
                    expected: "a number from 0",
                    got: "\(branch.weight)"
                )
            }
        }
        let rows = prefixRows + (branches.map(\.tokens.count).max() ?? 0)
        guard rows > 0, rows <= maximumPositions else {
            throw .invalidBatch(
                subject: subject,
                expected: "1 to \(maximumPositions) rows in a branch with its prefix",
                got: "\(rows)"
            )
        }
    }

    private func checkIDs(
        _ ids: [Int32],
        _ subject: String,
        _ vocabularySize: Int,
        least: Int32
    ) throws(TrainingError) {
        guard let wrong = ids.first(where: { $0 < least || Int($0) >= vocabularySize }) else {
            return
        }
        throw .invalidBatch(
            subject: subject,
            expected: "ids from \(least) to \(vocabularySize - 1)",
            got: "\(wrong)"
        )
    }
}
