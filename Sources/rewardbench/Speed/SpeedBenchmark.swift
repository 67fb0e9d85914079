internal import TensorKernels
internal import Transformer

/// Measures prefill, decoding and the vision tower on random weights of a published model's shapes.
///
/// After every repeat the limit is measured for about as long, so that a busy neighbour takes the same share of
/// both; medians are compared.
struct SpeedBenchmark {
    /// What to measure.
    struct Options {
        var shape = ModelShape.qwen2
        var precision = WeightPrecision.stored
        var threads = 1
        /// Rows of the prompt, or tokens written.
        var tokens = 512
        /// Sequences decoded together.
        var sequences = 1
        var repeats = 5
        /// Rows of one prefill step, as in an engine.
        var prefillRows = 256
    }

    var options: Options
    private let pool: ComputeThreadPool

    init(_ options: Options) {
        self.options = options
        pool = ComputeThreadPool(threads: options.threads, name: "bench")
    }

    /// How the decoder's matrices are held.
    private var panelType: PanelType {
        options.precision.panelType(ofCanonical: "text.layers.0.mlp.up_proj.weight") ?? .bfloat16
    }

    /// A prompt of `tokens` rows and the logits of its last row.
    func prefill() throws -> SpeedReport {
        let load = ElapsedTime()
        let decoder = try decoder(positions: options.tokens)
        let loadSeconds = load.seconds
        let rows = min(options.prefillRows, options.tokens)
        let activations = TextActivations(decoder: decoder, rowCapacity: rows)
        let sequence = SequenceState(config: decoder.config, capacity: options.tokens)
        let input = tokens(options.tokens, of: decoder)
        let operations =
            2 * Double(options.tokens) * Double(decoder.layerWeightCount)
            + 2 * Double(decoder.vocabularySize * decoder.config.hiddenSize)
        var samples = Samples()
        for _ in 0...options.repeats {
            sequence.truncate(to: 0)
            samples.measure {
                fill(sequence, with: input, decoder: decoder, activations: activations)
                _ = decoder.logits(
                    ofRows: [(options.tokens - 1) % rows],
                    activations: activations,
                    pool: pool
                )
            } limit: {
                PeakBenchmark.rate(panelType, pool: pool, seconds: min($0, 0.2))
            }
        }
        return report(
            "prefill",
            settings: [("tokens", options.tokens), ("prefill_rows", rows)],
            unit: "tokens",
            samples: samples,
            units: Double(options.tokens),
            limitName: "GOP/s of matrix products",
            perRepeat: operations * 1e-9,
            matrixBytes: decoder.matrixByteCount,
            loadSeconds: loadSeconds
        )
    }

    /// `tokens` steps of one row for each sequence, behind a prompt of 64 tokens.
    func decode() throws -> SpeedReport {
        let promptCount = 64
        let positions = promptCount + options.tokens
        let load = ElapsedTime()
        let decoder = try decoder(positions: positions)
        let loadSeconds = load.seconds
        let activations = TextActivations(
            decoder: decoder,
            rowCapacity: max(promptCount, options.sequences)
        )
        let layout = KeyValueLayout(decoder.config)
        let blockCount = KeyValueLayout.blockCount(positions: positions)
        let blocks = KeyValueBlocks(layout: layout, count: blockCount * options.sequences)
        let input = tokens(positions, of: decoder)
        let sequences = (0..<options.sequences).map { index in
            let sequence = SequenceState(blocks: blocks, limit: positions)
            for block in 0..<blockCount { sequence.add(block: Int32(index * blockCount + block)) }
            return sequence
        }
        for sequence in sequences {
            fill(
                sequence,
                with: input,
                upTo: promptCount,
                decoder: decoder,
                activations: activations
            )
        }
        var samples = Samples()
        for _ in 0...options.repeats {
            for sequence in sequences { sequence.truncate(to: promptCount) }
            samples.measure {
                for step in promptCount..<positions {
                    decoder.forward(
                        sequences.map {
                            SequenceRows(input: input, range: step..<(step + 1), sequence: $0)
                        },
                        activations: activations,
                        pool: pool,
                        interrupt: {}
                    )
                    for start in stride(
                        from: 0,
                        to: options.sequences,
                        by: activations.logitRowCapacity
                    ) {
                        let end = min(start + activations.logitRowCapacity, options.sequences)
                        _ = decoder.logits(
                            ofRows: start..<end,
                            activations: activations,
                            pool: pool
                        )
                    }
                }
            } limit: { _ in
                PeakBenchmark.readRate(pool: pool)
            }
        }
        return report(
            "decode",
            settings: [("tokens", options.tokens), ("sequences", options.sequences)],
            unit: "tokens",
            samples: samples,
            units: Double(options.tokens * options.sequences),
            limitName: "GB/s read",
            perRepeat: Double(options.tokens) * Double(decoder.matrixByteCount) * 1e-9,
            matrixBytes: decoder.matrixByteCount,
            loadSeconds: loadSeconds
        )
    }

    /// One tile through the SigLIP so400m tower.
    func vision() throws -> SpeedReport {
        let load = ElapsedTime()
        let tower = try InventedModel.siglipTower(precision: options.precision, pool: pool)
        let loadSeconds = load.seconds
        let config = tower.config
        let activations = VisionActivations(config: config, hiddenSize: config.hiddenSize)
        let tile = (0..<(3 * config.imageSize * config.imageSize)).map { Float($0 % 511) / 256 - 1 }
        let weights =
            config.layerCount * config.hiddenSize
            * (4 * config.hiddenSize + 2 * config.intermediateSize)
        let rows = config.gridSide * config.gridSide
        let type = options.precision.panelType(ofCanonical: "vision.encoder") ?? .bfloat16
        var samples = Samples()
        for _ in 0...options.repeats {
            samples.measure {
                tile.withUnsafeBufferPointer { pixels in
                    guard let pixels = pixels.baseAddress else { return }
                    tower.forward(pixels, activations: activations, pool: pool, interrupt: {})
                }
            } limit: {
                PeakBenchmark.rate(type, pool: pool, seconds: min($0, 0.2))
            }
        }
        return report(
            "vision",
            settings: [("rows", rows)],
            unit: "images",
            samples: samples,
            units: 1,
            limitName: "GOP/s of matrix products",
            perRepeat: 2e-9 * Double(rows) * Double(weights),
            matrixBytes: PackedMatrix.byteCount(
                type: type,
                outputs: weights / config.hiddenSize,
                inputs: config.hiddenSize
            ),
            loadSeconds: loadSeconds
        )
    }

    // MARK: - Parts

    private func decoder(positions: Int) throws -> TextDecoder {
        try InventedModel.decoder(
            configuration: options.shape.textConfiguration,
            family: options.shape.family,
            precision: options.precision,
            positions: positions,
            pool: pool
        )
    }

    private func tokens(_ count: Int, of decoder: TextDecoder) -> ModelInput {
        var input = ModelInput()
        input.append(
            tokens: (0..<count).map {
                Int32(truncatingIfNeeded: $0 * 7919 % decoder.vocabularySize)
            }
        )
        return input
    }

    private func fill(
        _ sequence: SequenceState,
        with input: ModelInput,
        upTo count: Int? = nil,
        decoder: TextDecoder,
        activations: TextActivations
    ) {
        let count = count ?? input.count
        for start in stride(from: 0, to: count, by: activations.rowCapacity) {
            decoder.forward(
                input,
                start..<min(start + activations.rowCapacity, count),
                sequence: sequence,
                activations: activations,
                pool: pool,
                interrupt: {}
            )
        }
    }

    private func report(
        _ measure: String,
        settings: [(name: String, value: Int)],
        unit: String,
        samples: Samples,
        units: Double,
        limitName: String,
        perRepeat: Double,
        matrixBytes: Int,
        loadSeconds: Double
    ) -> SpeedReport {
        let rates = samples.seconds.map { units / $0 }.sorted()
        let limits = samples.limits.sorted()
        return SpeedReport(
            measure: measure,
            shape: measure == "vision" ? "siglip-so400m" : options.shape.rawValue,
            precision: options.precision,
            threads: pool.threadCount,
            settings: settings,
            unit: unit,
            rates: rates,
            limit: (
                limitName, limits[limits.count / 2], perRepeat * rates[rates.count / 2] / units
            ),
            matrixBytes: matrixBytes,
            loadSeconds: loadSeconds
        )
    }
}

/// Repeats of something, each followed by a measurement of its limit; the first repeat warms up and is dropped.
private struct Samples {
    var seconds: [Double] = []
    var limits: [Double] = []
    private var isWarm = false

    mutating func measure(_ body: () -> Void, limit: (_ seconds: Double) -> Double) {
        let elapsed = ElapsedTime()
        body()
        let time = elapsed.seconds
        defer { isWarm = true }
        guard isWarm else { return }
        seconds.append(time)
        limits.append(limit(time))
    }
}
