public import PacketWire

/// Addresses that have their first bits in common.
public struct AddressPrefix: Hashable, Sendable, Comparable {
    /// Its first address.
    public let address: IPAddress
    /// The length, from 0 to 32 for IPv4 and to 128 for IPv6.
    public let bits: Int

    /// The prefix of so many bits that an address lies in.
    package init(of address: IPAddress, bits: Int) {
        self.bits = bits
        switch address.version {
        case .v4: self.address = IPAddress(v4: UInt32(truncatingIfNeeded: address.low) & ~(UInt32.max >> UInt32(bits)))
        case .v6:
            self.address = IPAddress(
                v6High: address.high & ~(bits >= 64 ? 0 : UInt64.max >> UInt64(bits)),
                low: bits <= 64 ? 0 : address.low & ~(bits >= 128 ? 0 : UInt64.max >> UInt64(bits - 64)))
        }
    }

    package static func host(_ address: IPAddress) -> AddressPrefix {
        AddressPrefix(of: address, bits: address.version == .v4 ? 32 : 128)
    }

    /// The longest prefix of `lengths` that all of some addresses lie in; nil where there is none.
    static func covering(_ addresses: some Collection<IPAddress>) -> AddressPrefix? {
        guard let first = addresses.first else { return nil }
        return lengths(first.version).reversed().map { AddressPrefix(of: first, bits: $0) }.first { prefix in
            addresses.allSatisfy(prefix.contains)
        }
    }

    /// Whether it is one address.
    public var isHost: Bool { bits == (address.version == .v4 ? 32 : 128) }

    /// Whether an address is within it.
    public func contains(_ other: IPAddress) -> Bool {
        other.version == address.version && AddressPrefix(of: other, bits: bits) == self
    }

    /// Lengths that scopes are looked for at, from the widest to one address.
    static func lengths(_ version: IPAddress.Version) -> [Int] { version == .v4 ? [16, 24, 32] : [48, 64, 128] }

    /// By address, then length.
    public static func < (a: AddressPrefix, b: AddressPrefix) -> Bool {
        a.address == b.address ? a.bits < b.bits : a.address < b.address
    }
}

extension AddressPrefix: CustomStringConvertible {
    /// `10.1.0.0/16`; of one address, the address.
    public var description: String { isHost ? address.description : "\(address)/\(bits)" }
}

/// The servers, ports and clients of a situation.
public struct Scope: Hashable, Sendable {
    /// Nil for all servers.
    public var servers: AddressPrefix?
    /// Ports of the servers; none for all.
    public var ports: [UInt16]
    /// Nil for all clients.
    public var clients: AddressPrefix?

    init(servers: AddressPrefix? = nil, ports: [UInt16] = [], clients: AddressPrefix? = nil) {
        self.servers = servers
        self.ports = ports
        self.clients = clients
    }

    func contains(_ server: Endpoint, _ client: IPAddress) -> Bool {
        (servers?.contains(server.address) ?? true) && (ports.isEmpty || ports.contains(server.port))
            && (clients?.contains(client) ?? true)
    }
}
