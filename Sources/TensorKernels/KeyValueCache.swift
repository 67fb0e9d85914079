/// One attention layer's keys and values for one sequence.
package final class KeyValueCache: @unchecked Sendable {  // plain draft
    package let capacity: Int
    package let keyValueHeads: Int
    package let headDimension: Int
    package private(set) var count = 0
    var keys: [Float] = []
    var values: [Float] = []

    package init(capacity: Int, keyValueHeads: Int, headDimension: Int) {
        self.capacity = capacity
        self.keyValueHeads = keyValueHeads
        self.headDimension = headDimension
    }

    package func append(keys: UnsafePointer<Float>, values: UnsafePointer<Float>, rows: Int) {
        precondition(count + rows <= capacity)
        let size = rows * keyValueHeads * headDimension
        self.keys += UnsafeBufferPointer(start: keys, count: size)
        self.values += UnsafeBufferPointer(start: values, count: size)
        count += rows
    }

    package func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count)
        keys.removeLast((self.count - count) * keyValueHeads * headDimension)
        values.removeLast((self.count - count) * keyValueHeads * headDimension)
        self.count = count
    }

    package static func byteCount(capacity: Int, keyValueHeads: Int, headDimension: Int) -> Int {
        2 * capacity * keyValueHeads * headDimension * 4
    }
}
