/// The levels that the window doesn't reach: chunks of sorted keys under a sorted directory.
///
/// A level costs a binary search and the moving of at most a chunk. A chunk that is full is halved, except at the end,
/// so that levels which come in order fill their chunks.
struct LevelOverflow: ~Copyable {
    private struct Chunk {
        var count: Int
        let keys: UnsafeMutablePointer<Int64>
        let levels: UnsafeMutablePointer<Level>
    }

    private static let chunkLevels = 128

    private var chunks: UnsafeMutablePointer<Chunk>
    private var chunkCount = 0
    private var chunkCapacity = 16
    private(set) var count = 0

    init() { chunks = .allocate(capacity: 16) }

    deinit {
        for chunk in 0..<chunkCount { LevelOverflow.deallocate(chunks[chunk]) }
        chunks.deallocate()
    }

    var allocatedBytes: Int {
        let chunk = LevelOverflow.chunkLevels * (MemoryLayout<Level>.stride + MemoryLayout<Int64>.stride)
        return chunkCount * chunk + chunkCapacity * MemoryLayout<Chunk>.stride
    }

    /// The lowest key.
    ///
    /// - Precondition: there is a level.
    var firstKey: Int64 { chunks[0].keys[0] }

    /// The level of a key; nil if there is none.
    ///
    /// It is good until a level comes or goes.
    func find(_ key: Int64) -> UnsafeMutablePointer<Level>? {
        guard count > 0 else { return nil }
        let chunk = chunks[chunk(of: key)]
        let position = LevelOverflow.position(of: key, in: chunk)
        return position < chunk.count && chunk.keys[position] == key ? chunk.levels + position : nil
    }

    /// The lowest key that isn't below a key; nil if there is none.
    func firstKey(from key: Int64) -> Int64? {
        guard count > 0 else { return nil }
        let number = chunk(of: key)
        let position = LevelOverflow.position(of: key, in: chunks[number])
        if position < chunks[number].count { return chunks[number].keys[position] }
        return number + 1 < chunkCount ? chunks[number + 1].keys[0] : nil
    }

    /// Adds a level with a key that isn't there.
    mutating func insert(_ key: Int64, _ level: Level) -> UnsafeMutablePointer<Level> {
        count += 1
        if chunkCount == 0 { add(LevelOverflow.emptyChunk(), at: 0) }
        var number = chunk(of: key)
        var position = LevelOverflow.position(of: key, in: chunks[number])
        if chunks[number].count == LevelOverflow.chunkLevels {
            let isLast = number == chunkCount - 1 && position == LevelOverflow.chunkLevels
            split(number, keeping: isLast ? LevelOverflow.chunkLevels : LevelOverflow.chunkLevels / 2)
            if position > chunks[number].count || isLast {
                position -= chunks[number].count
                number += 1
            }
        }
        let chunk = chunks[number]
        let moving = chunk.count - position
        (chunk.keys + position + 1).update(from: chunk.keys + position, count: moving)
        (chunk.levels + position + 1).update(from: chunk.levels + position, count: moving)
        (chunk.keys[position], chunk.levels[position]) = (key, level)
        chunks[number].count += 1
        return chunk.levels + position
    }

    /// Removes a level that is there.
    mutating func remove(_ key: Int64) -> Level {
        let number = chunk(of: key)
        let chunk = chunks[number]
        let position = LevelOverflow.position(of: key, in: chunk)
        let level = chunk.levels[position]
        let moving = chunk.count - position - 1
        (chunk.keys + position).update(from: chunk.keys + position + 1, count: moving)
        (chunk.levels + position).update(from: chunk.levels + position + 1, count: moving)
        chunks[number].count -= 1
        count -= 1
        if chunk.count == 1 {
            LevelOverflow.deallocate(chunk)
            (chunks + number).update(from: chunks + number + 1, count: chunkCount - number - 1)
            chunkCount -= 1
        }
        return level
    }

    /// The last chunk that begins at or below a key, or the first.
    private func chunk(of key: Int64) -> Int {
        var (low, high) = (0, chunkCount)
        while high - low > 1 {
            let middle = (low + high) / 2
            if chunks[middle].keys[0] <= key { low = middle } else { high = middle }
        }
        return low
    }

    /// The first position whose key isn't below a key.
    private static func position(of key: Int64, in chunk: Chunk) -> Int {
        var (low, high) = (0, chunk.count)
        while low < high {
            let middle = (low + high) / 2
            if chunk.keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func split(_ number: Int, keeping kept: Int) {
        var upper = LevelOverflow.emptyChunk()
        upper.count = chunks[number].count - kept
        upper.keys.update(from: chunks[number].keys + kept, count: upper.count)
        upper.levels.update(from: chunks[number].levels + kept, count: upper.count)
        chunks[number].count = kept
        add(upper, at: number + 1)
    }

    private mutating func add(_ chunk: Chunk, at number: Int) {
        if chunkCount == chunkCapacity {
            let larger = UnsafeMutablePointer<Chunk>.allocate(capacity: chunkCapacity * 2)
            larger.moveInitialize(from: chunks, count: chunkCount)
            chunks.deallocate()
            (chunks, chunkCapacity) = (larger, chunkCapacity * 2)
        }
        (chunks + number + 1).update(from: chunks + number, count: chunkCount - number)
        chunks[number] = chunk
        chunkCount += 1
    }

    private static func emptyChunk() -> Chunk {
        Chunk(count: 0, keys: .allocate(capacity: chunkLevels), levels: .allocate(capacity: chunkLevels))
    }

    private static func deallocate(_ chunk: Chunk) {
        chunk.keys.deallocate()
        chunk.levels.deallocate()
    }
}
