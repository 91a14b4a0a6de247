/// Both addresses of IPv6, in two words each.
package struct AddressPair: BitwiseCopyable, Equatable, Sendable {
    package var lowHigh: UInt64 = 0
    package var lowLow: UInt64 = 0
    package var highHigh: UInt64 = 0
    package var highLow: UInt64 = 0

    package init() {}
}

/// A tuple in the form that is hashed and compared: the lower endpoint first.
package struct Tuple: BitwiseCopyable, Sendable {
    package var lowHigh: UInt64 = 0
    package var lowLow: UInt64
    package var highHigh: UInt64 = 0
    package var highLow: UInt64
    /// The lower endpoint's in the upper half.
    package var ports: UInt32
    package var isV6: Bool

    @inline(__always)
    package init(lowHigh: UInt64, lowLow: UInt64, highHigh: UInt64, highLow: UInt64, ports: UInt32) {
        self.lowHigh = lowHigh
        self.lowLow = lowLow
        self.highHigh = highHigh
        self.highLow = highLow
        self.ports = ports
        isV6 = true
    }

    package init(_ pair: AddressPair, ports: UInt32) {
        self.init(
            lowHigh: pair.lowHigh, lowLow: pair.lowLow, highHigh: pair.highHigh, highLow: pair.highLow, ports: ports)
    }

    /// - Parameter addresses: both IPv4 addresses, the lower endpoint's in the upper half.
    @inline(__always)
    package init(addresses: UInt64, ports: UInt32) {
        lowLow = addresses >> 32
        highLow = addresses & 0xffff_ffff
        self.ports = ports
        isV6 = false
    }

    /// - Parameters: a segment's endpoints, whichever is the lower.
    package init(_ a: Endpoint, _ b: Endpoint) { self = b < a ? Tuple(low: b, high: a) : Tuple(low: a, high: b) }

    @inline(__always)
    package init(low: Endpoint, high: Endpoint) {
        let ports = UInt32(low.port) << 16 | UInt32(high.port)
        if low.address.version == .v4, high.address.version == .v4 {
            self.init(addresses: low.address.low << 32 | high.address.low, ports: ports)
        } else {
            self.init(
                lowHigh: low.address.high, lowLow: low.address.low, highHigh: high.address.high,
                highLow: high.address.low, ports: ports)
        }
    }

    package var endpoints: (low: Endpoint, high: Endpoint) {
        func address(_ high: UInt64, _ low: UInt64) -> IPAddress {
            isV6 ? IPAddress(v6High: high, low: low) : IPAddress(v4: UInt32(truncatingIfNeeded: low))
        }
        return (
            Endpoint(address(lowHigh, lowLow), UInt16(ports >> 16)),
            Endpoint(address(highHigh, highLow), UInt16(truncatingIfNeeded: ports))
        )
    }
}

// Figures that are computed of every tuple.
extension Tuple {
    /// A 64-bit hash; multiply-and-fold rounds need no finaliser. `seed` is random outside tests, since traffic chooses
    /// the keys.
    @inline(__always)
    package func hash(seed: UInt64) -> UInt64 {
        if !isV6 { return Tuple.hash(addresses: lowLow << 32 | highLow, ports: ports, seed: seed) }
        var h = foldedProduct(lowHigh ^ seed, 0xa076_1d64_78bd_642f)
        h = foldedProduct(lowLow ^ h, 0x9e37_79b9_7f4a_7c15)
        h = foldedProduct(highHigh ^ h, 0xe703_7ed1_a0b4_28db)
        h = foldedProduct(highLow ^ h, 0x8ebc_6af0_9c88_c6e3)
        return foldedProduct(UInt64(ports) ^ h, 0x5899_65cc_7537_4cc3)
    }

    /// The same of IPv4, of what `init(addresses:ports:)` takes.
    @inline(__always)
    static func hash(addresses: UInt64, ports: UInt32, seed: UInt64) -> UInt64 {
        foldedProduct(
            foldedProduct(addresses ^ seed, 0x9e37_79b9_7f4a_7c15) ^ UInt64(ports), 0x5899_65cc_7537_4cc3)
    }

    /// How many shards tuples are shared out among, at most.
    package static let shards = 16

    /// Which shard it belongs to, of `shards`. Not by the seed: what a full shard lets go of must not change from run
    /// to run.
    @inline(__always)
    package var shard: UInt8 {
        if !isV6 { return Tuple.shard(addresses: lowLow << 32 | highLow, ports: ports) }
        let words =
            lowLow &* 0x9e37_79b9_7f4a_7c15 ^ highLow &* 0xe703_7ed1_a0b4_28db ^ lowHigh &* 0x8ebc_6af0_9c88_c6e3
        let mixed = (words ^ highHigh ^ UInt64(ports) &* 0xa076_1d64_78bd_642f) &* 0x5899_65cc_7537_4cc3
        return UInt8(truncatingIfNeeded: mixed >> 60)
    }

    /// The same of IPv4, of what `init(addresses:ports:)` takes.
    @inline(__always)
    static func shard(addresses: UInt64, ports: UInt32) -> UInt8 {
        let word = addresses ^ UInt64(ports) &* 0xa076_1d64_78bd_642f
        return UInt8(truncatingIfNeeded: ((word ^ word >> 32) &* 0x9e37_79b9_7f4a_7c15) >> 60)
    }
}

/// One round of wyhash: the halves of a product, folded.
@inline(__always)
package func foldedProduct(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
}
