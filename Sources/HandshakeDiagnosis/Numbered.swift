import PacketWire

/// A value that `Numbered` finds again by a hash that costs a multiplication or two.
protocol Numberable: Equatable, Sendable {
    func hash(seed: UInt64) -> UInt64
}

extension IPAddress: Numberable {
    func hash(seed: UInt64) -> UInt64 {
        foldedProduct(
            foldedProduct(low ^ seed, 0xa076_1d64_78bd_642f) ^ high ^ UInt64(version.rawValue), 0x9e37_79b9_7f4a_7c15)
    }
}

extension Endpoint: Numberable {
    func hash(seed: UInt64) -> UInt64 {
        foldedProduct(address.hash(seed: seed) ^ UInt64(port), 0xe703_7ed1_a0b4_28db)
    }
}

/// Values and their numbers, from 0 in the order in which they came.
struct Numbered<Value: Numberable>: Sendable {
    private(set) var values: [Value] = []
    /// Numbers and one more, by hash; 0 where there is none. At most half of it is in use.
    private var places = [UInt32](repeating: 0, count: 64)
    /// Traffic chooses the values, so who makes it must not know the hashes.
    private let seed = UInt64.random(in: .min ... .max)

    mutating func number(of value: Value) -> UInt32 {
        let place = place(of: value)
        if places[place] != 0 { return places[place] - 1 }
        values.append(value)
        places[place] = UInt32(values.count)
        if values.count * 2 > places.count { grow() }
        return UInt32(values.count - 1)
    }

    /// Where a value's number is, or belongs.
    private func place(of value: Value) -> Int {
        let mask = places.count - 1
        var place = Int(truncatingIfNeeded: value.hash(seed: seed)) & mask
        while places[place] != 0, values[Int(places[place]) - 1] != value { place = (place + 1) & mask }
        return place
    }

    private mutating func grow() {
        places = [UInt32](repeating: 0, count: places.count * 2)
        for (number, value) in values.enumerated() { places[place(of: value)] = UInt32(number) + 1 }
    }
}
