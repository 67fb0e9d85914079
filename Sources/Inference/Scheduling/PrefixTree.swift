import TensorKernels

/// The rows whose keys and values are in the cache, as a tree: a sequence that starts with the same rows
/// finds them there.
///
/// A node is one block: up to 64 rows after those of its parent. Only the last node of a path may have
/// fewer. A sequence pins the nodes it uses; what nobody pins is kept until its block is wanted, the least
/// recently used first. Pure bookkeeping: row keys and block numbers, no memory.
///
/// The children of a node are searched one by one. Only beneath a prompt's first rows can there be many
/// (one for each picture in the cache), and comparing a few keys for each costs microseconds before a step
/// of many milliseconds.
struct PrefixTree {
    /// What the tree knows of a sequence's first rows.
    struct Match: Equatable {
        /// Nodes whose whole blocks the sequence can share.
        var nodes: [Int] = []
        /// A node whose first rows continue the match: its block must be copied.
        var partial: Int?
        /// Rows matched, those of `partial` included.
        var rows = 0
    }

    private struct Node {
        let parent: Int
        let namespace: Int
        let block: Int32
        var keys: [UInt64]
        var children: [Int] = []
        var pins = 0
        var lastUse: Int
    }

    private static let blockRows = KeyValueLayout.blockPositions

    private var nodes: [Node?] = []
    private var vacant: [Int] = []
    /// First nodes, by namespace.
    private var roots: [Int: [Int]] = [:]
    private var clock = 0
    /// Nodes that nobody pins: their blocks can be had.
    private(set) var idleCount = 0

    /// Blocks remembered.
    var nodeCount: Int { nodes.count - vacant.count }

    /// The block of a node.
    func block(of node: Int) -> Int32 { self[node].block }

    /// The longest start of `keys`, at most `limit` rows, that the tree holds in `namespace`. What it
    /// matches counts as used now.
    mutating func match(_ keys: [UInt64], limit: Int, namespace: Int) -> Match {
        clock += 1
        let match = find(keys, limit: limit, namespace: namespace)
        for node in match.nodes { nodes[node]?.lastUse = clock }
        if let partial = match.partial { nodes[partial]?.lastUse = clock }
        return match
    }

    /// Rows that ``match(_:limit:namespace:)`` would match.
    func matchCount(_ keys: [UInt64], limit: Int, namespace: Int) -> Int {
        find(keys, limit: limit, namespace: namespace).rows
    }

    private func find(_ keys: [UInt64], limit: Int, namespace: Int) -> Match {
        var match = Match()
        var candidates = roots[namespace] ?? []
        while match.rows < limit {
            let wanted = keys[match.rows..<min(match.rows + Self.blockRows, limit)]
            var best: (node: Int, rows: Int)?
            for candidate in candidates {
                let rows = commonPrefixCount(self[candidate].keys[...], wanted)
                if rows > best?.rows ?? 0 { best = (candidate, rows) }
            }
            guard let best else { break }
            match.rows += best.rows
            guard best.rows == Self.blockRows else {
                match.partial = best.node
                break
            }
            match.nodes.append(best.node)
            candidates = self[best.node].children
        }
        return match
    }

    /// Notes that `table` holds the first `filled` rows of a sequence.
    ///
    /// - Parameters:
    ///   - path: the nodes of the sequence's blocks so far, pinned for it; grows by what is new. A block
    ///     that another sequence filled with the same rows keeps its node, and the tree does not take the
    ///     second one.
    mutating func record(
        _ keys: [UInt64],
        filled: Int,
        table: [Int32],
        path: inout [Int],
        namespace: Int,
        ledger: inout BlockLedger
    ) {
        clock += 1
        for place in max(path.count - 1, 0)..<KeyValueLayout.blockCount(positions: filled) {
            let start = place * Self.blockRows
            let rows = keys[start..<min(start + Self.blockRows, filled)]
            if place < path.count {
                let node = path[place]
                if self[node].block == table[place] {
                    // In place: a token a step would else copy the keys of its block.
                    let known = self[node].keys.count
                    nodes[node]?.keys.append(contentsOf: rows.dropFirst(known))
                }
                nodes[node]?.lastUse = clock
                continue
            }
            let parent = place == 0 ? -1 : path[place - 1]
            let siblings = parent < 0 ? roots[namespace] ?? [] : self[parent].children
            if rows.count == Self.blockRows,
                let twin = siblings.first(where: { self[$0].keys[...] == rows })
            {
                pin(twin)
                path.append(twin)
                continue
            }
            let node = insert(
                Node(
                    parent: parent,
                    namespace: namespace,
                    block: table[place],
                    keys: Array(rows),
                    lastUse: clock
                )
            )
            ledger.retain(table[place])
            pin(node)
            path.append(node)
        }
    }

    /// Keeps a node until ``unpin(_:)``.
    mutating func pin(_ node: Int) {
        if self[node].pins == 0 { idleCount -= 1 }
        nodes[node]?.pins += 1
    }

    /// Undoes one ``pin(_:)``.
    mutating func unpin(_ node: Int) {
        precondition(self[node].pins > 0, "a node is unpinned as often as it was pinned")
        nodes[node]?.pins -= 1
        if self[node].pins == 0 { idleCount += 1 }
    }

    /// Forgets up to `count` blocks that nobody uses, the least recently used first.
    mutating func evict(_ count: Int, ledger: inout BlockLedger) {
        // Leaves only: a node is reached through its parent. The one used longest ago is the last.
        var leaves = nodes.indices.filter(isIdleLeaf)
            .sorted { self[$0].lastUse > self[$1].lastUse }
        for _ in 0..<count {
            guard let leaf = leaves.popLast() else { return }
            let parent = self[leaf].parent
            remove(leaf, ledger: &ledger)
            if parent >= 0, isIdleLeaf(parent) {
                let use = self[parent].lastUse
                leaves.insert(
                    parent,
                    at: leaves.firstIndex { self[$0].lastUse < use } ?? leaves.endIndex
                )
            }
        }
    }

    private func isIdleLeaf(_ index: Int) -> Bool {
        guard let node = nodes[index] else { return false }
        return node.pins == 0 && node.children.isEmpty
    }

    /// Forgets everything of a namespace whose sequences have ended.
    mutating func purge(namespace: Int, ledger: inout BlockLedger) {
        for root in roots[namespace] ?? [] { removeSubtree(root, ledger: &ledger) }
        roots[namespace] = nil
    }

    private mutating func removeSubtree(_ node: Int, ledger: inout BlockLedger) {
        for child in self[node].children { removeSubtree(child, ledger: &ledger) }
        remove(node, ledger: &ledger)
    }

    private mutating func remove(_ index: Int, ledger: inout BlockLedger) {
        let node = self[index]
        precondition(node.pins == 0 && node.children.isEmpty, "only an idle leaf is forgotten")
        if node.parent < 0 {
            roots[node.namespace]?.removeAll { $0 == index }
        } else {
            nodes[node.parent]?.children.removeAll { $0 == index }
        }
        ledger.release(node.block)
        nodes[index] = nil
        vacant.append(index)
        idleCount -= 1
    }

    private mutating func insert(_ node: Node) -> Int {
        let index: Int
        if let place = vacant.popLast() {
            index = place
            nodes[index] = node
        } else {
            index = nodes.count
            nodes.append(node)
        }
        if node.parent < 0 {
            roots[node.namespace, default: []].append(index)
        } else {
            nodes[node.parent]?.children.append(index)
        }
        idleCount += 1
        return index
    }

    private subscript(index: Int) -> Node {
        guard let node = nodes[index] else { preconditionFailure("no node \(index) in the tree") }
        return node
    }
}

/// Leading elements that two collections share.
func commonPrefixCount(_ a: ArraySlice<UInt64>, _ b: ArraySlice<UInt64>) -> Int {
    let limit = min(a.count, b.count)
    var count = 0
    while count < limit, a[a.startIndex + count] == b[b.startIndex + count] { count += 1 }
    return count
}
