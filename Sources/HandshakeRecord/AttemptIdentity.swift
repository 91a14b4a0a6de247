package import PacketWire

/// The ends and numbers by which an attempt is the same in every run that reads its packets.
package struct AttemptIdentity {
    package var client: Endpoint
    package var server: Endpoint
    package var network: VirtualNetwork
    /// x; y where no SYN was captured.
    package var number: UInt32
    /// Nanoseconds since the epoch of its first segment.
    package var firstTime: Int64
    /// Which it is of several attempts that are equal in everything else: 0, 1, ...
    package var ordinal: UInt16

    package init(_ record: AttemptRecord) {
        (client, server, network) = (record.client, record.server, record.network)
        number = record.startsAtSYN ? record.clientISN : record.serverISN ?? record.clientISN
        (firstTime, ordinal) = (record.firstTime, record.ordinal)
    }

    /// A plain attempt is in no virtual network, and the first of its tuple that it is equal to.
    @inline(__always)
    package init(_ plain: borrowing PlainAttempt) {
        (client, server, network) = (plain.client, plain.server, .none)
        (number, firstTime, ordinal) = (plain.clientISN, plain.firstTime, 0)
    }

    /// `S` and 16 characters of base64url (RFC 4648 5): the first 96 bits of a SHA-1 of these octets. The highest of
    /// each number comes first.
    ///
    /// - IP version, 1 octet; addresses of client and server, 16 each, an IPv4 address in the last four
    /// - their ports, 2 each; kind and identifier of the virtual network, 1 and 3
    /// - the sequence number, 4; the time, 8; the ordinal, 2
    @inline(__always)
    package var uid: IdentityText {
        var hash = SHA1()
        hash.append(UInt32(client.address.version.rawValue), octets: 1)
        hash.append(client.address.high)
        hash.append(client.address.low)
        hash.append(server.address.high)
        hash.append(server.address.low)
        hash.append(UInt32(client.port) << 16 | UInt32(server.port), octets: 4)
        hash.append(UInt32(network.kind.rawValue) << 24 | network.id & 0xff_ffff, octets: 4)
        hash.append(number, octets: 4)
        hash.append(UInt64(bitPattern: firstTime))
        hash.append(UInt32(ordinal), octets: 2)
        return IdentityText(uid: hash.digest())
    }
}

/// The Community ID of a TCP connection, version 1 (https://github.com/corelight/community-id-spec): `1:` and 28
/// characters of base64. Both directions have the same.
package struct CommunityID {
    /// Between 0, which most tools have, and 65,535.
    package static let usualSeed: UInt16 = 0

    @inline(__always)
    package static func text(_ a: Endpoint, _ b: Endpoint, seed: UInt16 = usualSeed) -> IdentityText {
        let isInOrder = a.address == b.address ? a.port <= b.port : a.address < b.address
        let (low, high) = isInOrder ? (a, b) : (b, a)
        var hash = begin(low.address, high.address, ipProtocol: 6, seed)
        hash.append(UInt32(low.port) << 16 | UInt32(high.port), octets: 4)
        return IdentityText(communityID: hash.digest())
    }

    /// All but the ports, addresses in order.
    @inline(__always)
    private static func begin(_ low: IPAddress, _ high: IPAddress, ipProtocol: UInt32, _ seed: UInt16) -> SHA1 {
        var hash = SHA1()
        hash.append(UInt32(seed), octets: 2)
        for address in [low, high] {
            if address.version == .v6 {
                hash.append(address.high)
                hash.append(address.low)
            } else {
                hash.append(UInt32(truncatingIfNeeded: address.low), octets: 4)
            }
        }
        // Behind it is an octet of padding.
        hash.append(ipProtocol << 8, octets: 2)
        return hash
    }
}

extension CommunityID {
    /// That of a tunnel's packets, which have no ports; nil for tunnels over UDP, whose ports are not kept.
    /// - Parameter inner: of the packets in it.
    package static func text(
        around path: TunnelPath, _ inner: IPAddress.Version, seed: UInt16 = usualSeed
    ) -> IdentityText? {
        guard let carrier = path.carrier else { return nil }
        let number: UInt32
        switch carrier.tunnel {
        case .gre, .erspan, .eoip: number = 47
        case .etherIP: number = 97
        case .ipInIP where path.layers.count == 1: number = inner == .v4 ? 4 : 41
        default: return nil
        }
        return IdentityText(communityID: begin(carrier.low, carrier.high, ipProtocol: number, seed).digest())
    }
}

/// The text of an identity: up to 32 ASCII characters, in words to be copied.
package struct IdentityText: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    /// The first character in the lowest octet of the first word.
    package private(set) var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    package private(set) var count = 0

    /// `S` and 96 bits in base64url.
    @inline(__always)
    fileprivate init(uid digest: SHA1.Digest) {
        let bits = (UInt64(digest.0) << 32 | UInt64(digest.1), UInt64(digest.2) << 32)
        // No spreadsheet takes it for a formula, as it would a text that begins with `-`.
        put(UInt64(UInt8(ascii: "S")), 1)
        put(IdentityText.base64(bits.0 >> 16, plus: "-", slash: "_"), 8)
        put(IdentityText.base64(bits.0 << 32 & 0xffff_0000_0000 | bits.1 >> 32, plus: "-", slash: "_"), 8)
    }

    /// `1:` and 160 bits in base64.
    @inline(__always)
    fileprivate init(communityID digest: SHA1.Digest) {
        let bits = (
            UInt64(digest.0) << 32 | UInt64(digest.1), UInt64(digest.2) << 32 | UInt64(digest.3), UInt64(digest.4)
        )
        put(UInt64(UInt8(ascii: "1")) | UInt64(UInt8(ascii: ":")) << 8, 2)
        put(IdentityText.base64(bits.0 >> 16, plus: "+", slash: "/"), 8)
        put(IdentityText.base64(bits.0 << 32 & 0xffff_0000_0000 | bits.1 >> 32, plus: "+", slash: "/"), 8)
        put(IdentityText.base64(bits.1 << 16 & 0xffff_ffff_0000 | bits.2 >> 16, plus: "+", slash: "/"), 8)
        // Two octets are three characters, and one is missing.
        let last = IdentityText.base64((bits.2 & 0xffff) << 32, plus: "+", slash: "/")
        put(last & 0xff_ffff | UInt64(UInt8(ascii: "=")) << 24, 4)
    }

    /// Puts characters behind those that are there; the first in the lowest octet, nothing above the last.
    @inline(__always)
    private mutating func put(_ characters: UInt64, _ number: Int) {
        let shift = UInt64(count & 7 &* 8)
        let (low, high) = (characters << shift, shift == 0 ? 0 : characters >> (64 &- shift))
        switch count >> 3 {
        case 0:
            words.0 |= low
            words.1 |= high
        case 1:
            words.1 |= low
            words.2 |= high
        case 2:
            words.2 |= low
            words.3 |= high
        default: words.3 |= low
        }
        count &+= number
    }

    /// Eight characters of base64 (RFC 4648 4) for 48 bits, all at once: what each of the eight is above where the
    /// alphabet jumps.
    @inline(__always)
    private static func base64(_ bits: UInt64, plus: Unicode.Scalar, slash: Unicode.Scalar) -> UInt64 {
        var values: UInt64 = 0
        for place in 0..<8 { values |= (bits >> UInt64(42 &- 6 &* place) & 63) << UInt64(8 &* place) }
        let ones: UInt64 = 0x0101_0101_0101_0101
        /// 1 in each octet that is at least `least`.
        func reaches(_ least: UInt64) -> UInt64 { (values &+ ones &* (128 &- least)) >> 7 & ones }
        // A to Z, a to z from 26, 0 to 9 from 52.
        let letters = values &+ ones &* 65 &+ reaches(26) &* 6 &- reaches(52) &* 75
        // 62 would be `:` and 63 `;`.
        let (toPlus, toSlash) = (58 &- UInt64(plus.value), UInt64(slash.value) &+ 58 &- UInt64(plus.value) &- 59)
        return letters &- reaches(62) &* toPlus &+ reaches(63) &* toSlash
    }

    package var description: String {
        var octets: [UInt8] = []
        for word in [words.0, words.1, words.2, words.3] {
            octets += (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) }
        }
        return String(decoding: octets.prefix(count), as: UTF8.self)
    }

    package static func == (a: IdentityText, b: IdentityText) -> Bool { a.count == b.count && a.words == b.words }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }
}

extension AttemptRecord {
    /// The attempt's identity: the same in every run that reads its packets with their times, in however many files,
    /// and different from that of any other attempt. A hash of both ends, the virtual network, x (y where no SYN was
    /// captured) and the time of the first segment.
    public var uid: String { AttemptIdentity(self).uid.description }

    /// The Community ID of the connection, version 1, as Zeek, Suricata and Wireshark have it; in a tunnel that of the
    /// inner addresses.
    public func communityID(seed: UInt16 = 0) -> String { CommunityID.text(client, server, seed: seed).description }
}
