package import PacketWire

/// One value that attempts are grouped by.
package enum GroupValue: Hashable, Sendable, BitwiseCopyable {
    case unknown
    /// A list without entries: no finding, no tunnel.
    case empty
    case number(Double)
    /// Nanoseconds.
    case duration(Double)
    /// Nanoseconds since the epoch.
    case time(Int64)
    case address(IPAddress)
    /// The first address of a network, and the bits of its prefix.
    case network(IPAddress, UInt8)
    case truth(Bool)
    /// A name's place in its vocabulary.
    case name(UInt8)

    /// A hash of few instructions: each attempt is looked up by it.
    @inline(__always)
    fileprivate func mixed(_ hash: UInt64) -> UInt64 {
        let (high, low): (UInt64, UInt64) =
            switch self {
            case .unknown: (1, 0)
            case .empty: (2, 0)
            case .number(let value): (3, value.bitPattern)
            case .duration(let value): (4, value.bitPattern)
            case .time(let value): (5, UInt64(bitPattern: value))
            case .address(let address): (address.high &+ 6, address.low)
            case .network(let address, let bits): (address.high &+ UInt64(bits) &+ 7, address.low)
            case .truth(let value): (8, value ? 1 : 0)
            case .name(let place): (9, UInt64(place))
            }
        var mix = (hash ^ low) &* 0x9e37_79b9_7f4a_7c15
        mix = (mix ^ mix >> 32 ^ high) &* 0xd6e8_feb8_6659_fd93
        return mix ^ mix >> 29
    }
}

/// The key of a group: a value for each column.
package struct GroupKey: Hashable, Sendable, BitwiseCopyable {
    package static let maximumColumns = 4
    private var first = GroupValue.unknown
    private var second = GroupValue.unknown
    private var third = GroupValue.unknown
    private var fourth = GroupValue.unknown

    package init() {}

    package subscript(column: Int) -> GroupValue {
        @inline(__always) get {
            switch column {
            case 0: first
            case 1: second
            case 2: third
            default: fourth
            }
        }
        @inline(__always) set {
            switch column {
            case 0: first = newValue
            case 1: second = newValue
            case 2: third = newValue
            default: fourth = newValue
            }
        }
    }

    /// - Parameter seed: traffic chooses the keys, so who makes it must not know the hashes.
    @inline(__always)
    func hash(_ columns: Int, seed: UInt64) -> Int {
        var hash = first.mixed(seed)
        if columns > 1 { hash = second.mixed(hash) }
        if columns > 2 { hash = third.mixed(hash) }
        if columns > 3 { hash = fourth.mixed(hash) }
        return Int(truncatingIfNeeded: hash)
    }
}
