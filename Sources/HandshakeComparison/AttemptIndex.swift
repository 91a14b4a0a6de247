import PacketWire

/// Attempts by a key: chains through one array.
struct AttemptIndex: Sendable {
    let keys: [UInt32]
    /// The first of each chain, and the one behind each attempt; 0 ends a chain, else it is a place and one more.
    private var heads: [UInt32]
    private var next: [UInt32]
    private let shift: UInt32
    /// Traffic chooses the keys, so who makes it must not know the hashes.
    private let factor = UInt32.random(in: .min ... .max) | 1

    init(_ count: Int, _ key: (Int) -> UInt32) {
        let bits = max(4, Int.bitWidth - count.leadingZeroBitCount)
        shift = UInt32(32 - min(31, bits))
        keys = (0..<count).map(key)
        heads = [UInt32](repeating: 0, count: 1 << min(31, bits))
        next = [UInt32](repeating: 0, count: count)
        for place in stride(from: count - 1, through: 0, by: -1) {
            let head = Int((keys[place] &* factor) >> shift)
            next[place] = heads[head]
            heads[head] = UInt32(place + 1)
        }
    }

    /// A key of two ends.
    static func key(_ client: Endpoint, _ server: Endpoint) -> UInt32 {
        var hash: UInt64 = 0
        for word in [
            client.address.high, client.address.low, server.address.high, server.address.low,
            UInt64(client.port) << 16 | UInt64(server.port),
        ] { hash = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15 &+ hash >> 29 }
        return UInt32(truncatingIfNeeded: hash >> 32)
    }

    /// The most attempts of one key that are looked at: a flood may have a million.
    private static let maximumVisited = 256

    /// Visits the attempts with a key, in their order.
    @inline(__always)
    func visit(_ key: UInt32, _ body: (Int) -> Void) {
        var link = heads[Int((key &* factor) >> shift)]
        var left = Self.maximumVisited
        while link != 0, left > 0 {
            let place = Int(link - 1)
            if keys[place] == key {
                body(place)
                left -= 1
            }
            link = next[place]
        }
    }

    /// The first attempt with a key.
    func first(_ key: UInt32) -> Int? {
        var link = heads[Int((key &* factor) >> shift)]
        while link != 0 {
            if keys[Int(link - 1)] == key { return Int(link - 1) }
            link = next[Int(link - 1)]
        }
        return nil
    }
}
