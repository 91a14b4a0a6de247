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

    /// - Parameter addresses: both IPv4 addresses, the lower endpoint's in the upper half.
    @inline(__always)
    package init(addresses: UInt64, ports: UInt32) {
        lowLow = addresses >> 32
        highLow = addresses & 0xffff_ffff
        self.ports = ports
        isV6 = false
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

    /// Of IPv6.
    /// - Returns: the tuple, and whether the source is its lower endpoint.
    static func ordered(
        _ words: (sourceHigh: UInt64, sourceLow: UInt64, destinationHigh: UInt64, destinationLow: UInt64),
        _ ports: (UInt32, UInt32)
    ) -> (Tuple, Bool) {
        let (source, destination) = ((words.sourceHigh, words.sourceLow), (words.destinationHigh, words.destinationLow))
        if source < destination || source == destination && ports.0 <= ports.1 {
            return (
                Tuple(
                    lowHigh: source.0, lowLow: source.1, highHigh: destination.0, highLow: destination.1,
                    ports: ports.0 << 16 | ports.1), true
            )
        }
        return (
            Tuple(
                lowHigh: destination.0, lowLow: destination.1, highHigh: source.0, highLow: source.1,
                ports: ports.1 << 16 | ports.0), false
        )
    }
}
