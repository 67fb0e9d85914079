import Postgres

/// The single operations: what the numbers choose, the call, and the same on the model.
extension ModelPlayer {
    mutating func enqueue(_ a: Int, _ b: Int, _ c: Int) throws {
        let request = QueueModel.Request(
            items: 1 + a % 6,
            shardSize: 1 + a / 6 % 3,
            maxAttempts: 1 + a / 18 % 3
        )
        let queue = QueueModel.queues[b % 4 / 3]
        let priority = b / 4 % 3 - 1
        let delay = [0, 0, 0, 2, 4][b / 12 % 5]
        let key = c % 3 == 0 ? "key-\(c / 3 % 3)" : nil
        let options =
            #"{"shard_size": \#(request.shardSize), "max_attempts": \#(request.maxAttempts)}"#
        operation =
            "enqueue \(request.items) items, options \(options), queue \(queue), "
            + "priority \(priority), in \(delay) half hours, key \(key ?? "none")"
        let found = try answer(
            """
            SELECT rewardd.enqueue('point_score', (
                SELECT jsonb_agg(jsonb_build_object('caption', 'caption ' || i, 'image', i || '.png'))
                FROM generate_series(1, \(request.items)) AS i), 'image_generation',
                \(QueueModel.model), \(json: options), \(queue), \(priority)::int,
                now() + \(delay) * interval '30 minutes', \(key))::text AS value
            """
        )
        if let expected = model.answerBeforeEnqueue(request, queue: queue, key: key) {
            return try compare(expected, found)
        }
        guard case .value(let text) = found, let number = Int(text),
            !model.jobs.contains(where: { $0.number == number })
        else { return try compare(.value("a new job"), found) }
        model.add(
            number: number,
            request: request,
            queue: queue,
            priority: priority,
            delay: delay,
            key: key
        )
    }

    mutating func register() throws {
        let found = try connection.execute(
            """
            SELECT rewardd.register_daemon('host', 1, 'model', \([QueueModel.model]),
                \(QueueModel.queues)) AS n
            """
        ).only().int("n")
        model.register(number: found)
    }

    mutating func claim(_ a: Int, _ b: Int, _ c: Int) throws {
        guard let daemon = pick(model.daemons, a) else { return }
        let maximum = 1 + b % 4
        let queues = [QueueModel.queues, ["default"], ["second"]][c % 5 % 3]
        let number = model.daemons[daemon].number
        operation = "claim up to \(maximum) of \(queues) by daemon \(number)"
        let rows = try connection.execute(
            """
            SELECT c.job_id, c.first_item, c.lease_token, format('%s+%s a%s %s', c.first_item,
                c.item_count, c.attempts, ARRAY(
                    SELECT (e ->> 'index')::int FROM jsonb_array_elements(c.items) AS e)) AS line
            FROM rewardd.claim_shards(\(number), \([QueueModel.model]), \(queues),
                \(maximum)::int) AS c
            """
        )
        let choice = model.choice(daemon, queues: queues, maximum: maximum)
        var taken: [Int] = []
        for row in rows {
            let (job, first) = (try row.int("job_id"), try row.int("first_item"))
            guard
                let place = choice.eligible.first(where: { place in
                    let shard = model.shards[place]
                    return model.jobs[shard.job].number == job && shard.first == first
                        && !taken.contains(place)
                })
            else {
                throw difference("no shard that cannot be claimed", "\(first) of job \(job)")
            }
            taken.append(place)
        }
        try compare(
            .value("priorities \(choice.eligible.prefix(choice.count).map(model.priority))"),
            .value("priorities \(taken.map(model.priority))")
        )
        model.take(taken, by: daemon)
        for (place, row) in zip(taken, rows) {
            let shard = model.shards[place]
            let items = model.openItems(of: place).map(String.init).joined(separator: ",")
            try compare(
                .value("\(shard.first)+\(shard.count) a\(shard.attempts) {\(items)}"),
                .value(try row.text("line"))
            )
        }
        let tokens = try rows.map { try $0.int("lease_token") }
        let last = model.leases.map(\.token).max() ?? 0
        guard Set(tokens).count == tokens.count, tokens.allSatisfy({ $0 > last }) else {
            throw difference("tokens above \(last), no two alike", "tokens \(tokens)")
        }
        model.grant(taken, tokens: tokens)
    }

    mutating func checkpoint(_ a: Int, _ b: Int, _ c: Int) throws {
        guard let lease = pickLease(a) else { return }
        let shard = model.shards[lease.shard]
        var items: [(index: Int, result: QueueModel.Result)] = []
        for (place, item) in shard.items.enumerated() where b >> place & 1 == 1 {
            items.append((item, c >> place % 5 & 3 == 3 ? .failed("broken") : .completed))
        }
        // Now and then one that the lease does not cover.
        if c % 40 == 0 { items.append((shard.items.upperBound, .completed)) }
        let fingerprint =
            c % 2 == 0 ? "judgement \(c / 2 % 3) of \(shard.first) of \(shard.job)" : nil
        operation =
            "checkpoint lease \(lease.token): \(items.map { "\($0.index) \($0.result)" }), "
            + "judgement \(fingerprint ?? "none")"
        let results = items.map { item in
            switch item.result {
            case .completed:
                #"{"item_index":\#(item.index),"state":"completed","result":{"score":3}}"#
            case .failed(let code):
                #"{"item_index":\#(item.index),"state":"failed","error_code":"\#(code)"}"#
            }
        }
        let found = try answer(
            """
            SELECT rewardd.checkpoint(\(shard.number), \(lease.token), CASE
                WHEN \(fingerprint)::text IS NOT NULL THEN jsonb_build_array(jsonb_build_object(
                    'fingerprint', encode(sha256(convert_to(\(fingerprint)::text, 'UTF8')), 'hex'),
                    'item_index', \(shard.first)::int, 'kind', 'point_score', 'template_id', 't',
                    'answer_mode', 'choices')) END,
                \(json: "[" + results.joined(separator: ",") + "]")) AS value
            """
        )
        try compare(model.checkpoint(lease, items: items, fingerprint: fingerprint), found)
    }

    mutating func finish(_ a: Int, _ b: Int, _ c: Int) throws {
        guard let lease = pickLease(a) else { return }
        let outcome = ["done", "done", "retry", "release", "fail", "retry"][b % 6]
        let halves = c % 3 == 0 ? 2 : 0
        operation = "finish lease \(lease.token) as \(outcome), retry in \(halves) half hours"
        let found = try answer(
            """
            SELECT rewardd.finish_shard(\(model.shards[lease.shard].number), \(lease.token),
                \(outcome), 'why', \(halves) * interval '30 minutes') AS value
            """
        )
        try compare(model.finish(lease, outcome, retryIn: halves), found)
    }

    /// What has to do with the life of one daemon or of all.
    mutating func live(_ kind: ModelOperation.Kind, daemon number: Int) throws {
        if kind == .rescue {
            let found = try answer("SELECT rewardd.rescue()::text AS value")
            return try compare(model.rescue(), found)
        }
        guard let daemon = pick(model.daemons, number) else { return }
        let name = model.daemons[daemon].number
        operation += " daemon \(name)"
        switch kind {
        case .heartbeat:
            let found = try answer("SELECT rewardd.heartbeat(\(name), NULL) AS value")
            try compare(model.heartbeat(daemon), found)
        case .die:
            try connection.execute(
                "UPDATE rewardd.daemon SET lease_until = '-infinity' WHERE daemon_id = \(name)"
            )
            if !model.daemons[daemon].isStopped { model.daemons[daemon].isExpired = true }
        case .stop:
            try compare(
                .value(""),
                try answer("SELECT rewardd.stop_daemon(\(name))::text AS value")
            )
            model.stop(daemon)
        case .drain:
            let found = try answer("SELECT rewardd.drain_daemon(\(name))::text AS value")
            try compare(model.drain(daemon), found)
        default:
            let found = try answer(
                """
                SELECT coalesce(string_agg(s::text, ',' ORDER BY s), '') AS value
                FROM rewardd.cancelled_shards(\(name)) AS s
                """
            )
            let expected = model.cancelledShards(daemon).map(String.init)
            try compare(.value(expected.joined(separator: ",")), found)
        }
    }

    /// What is done to a job.
    mutating func steer(_ kind: ModelOperation.Kind, job number: Int, number b: Int) throws {
        guard let job = pick(model.jobs, number) else { return }
        let name = model.jobs[job].number
        operation += " job \(name)"
        switch kind {
        case .cancel, .force:
            let force = kind == .force
            let found = try answer("SELECT rewardd.cancel(\(name), 'why', \(force)) AS value")
            try compare(model.cancel(job, force: force), found)
        case .hold:
            try compare(model.hold(job), try answer("SELECT rewardd.hold(\(name)) AS value"))
        case .release:
            try compare(model.release(job), try answer("SELECT rewardd.release(\(name)) AS value"))
        case .retry:
            let found = try answer("SELECT rewardd.retry(\(name))::text AS value")
            try compare(model.retry(job), found)
        default:
            let halves = [1, 1, 3, 5, -1][b % 5]
            operation += " in \(halves) half hours"
            let found = try answer(
                """
                SELECT rewardd.set_deadline(\(name), now() + \(halves) * interval '30 minutes')::text
                    AS value
                """
            )
            try compare(model.setDeadline(job, in: halves), found)
        }
    }

    mutating func setPaused(_ isPaused: Bool, queue number: Int) throws {
        let queue = QueueModel.queues[number % 2]
        operation += " \(queue)"
        let found =
            isPaused
            ? try answer("SELECT rewardd.pause_queue(\(queue))::text AS value")
            : try answer("SELECT rewardd.resume_queue(\(queue))::text AS value")
        try compare(.value(""), found)
        if isPaused { model.pausedQueues.insert(queue) } else { model.pausedQueues.remove(queue) }
    }

    /// Moves everything that is stored back by one or two hours, which is what the passing of them looks like.
    mutating func advance(_ number: Int, isBeating: Bool) throws {
        let halves = 2 + number % 2 * 2
        operation = "\(halves) half hours pass" + (isBeating ? ", daemons beat" : "")
        for (table, column) in [
            ("job", "run_at"), ("job", "deadline_at"), ("shard", "run_at"), ("daemon", "beat_at"),
            ("daemon", "lease_until"),
        ] {
            try connection.execute(
                """
                UPDATE rewardd.\(identifier: table)
                SET \(identifier: column)
                    = \(identifier: column) - \(halves) * interval '30 minutes'
                """
            )
        }
        if isBeating {
            try connection.execute(
                """
                SELECT rewardd.heartbeat(d.daemon_id, NULL)
                FROM rewardd.daemon d
                WHERE d.stopped_at IS NULL
                """
            )
        }
        model.advance(halves, isBeating: isBeating)
    }

    // MARK: - Choosing

    /// One of the last eight, so that a long sequence does not only dig in the past.
    private func pick<Element>(_ all: [Element], _ number: Int) -> Int? {
        all.isEmpty ? nil : all.count - 1 - number % min(all.count, 8)
    }

    private func pickLease(_ number: Int) -> QueueModel.Lease? {
        pick(model.leases, number).map { model.leases[$0] }
    }
}
