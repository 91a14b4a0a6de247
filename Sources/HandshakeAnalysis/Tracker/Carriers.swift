import PacketWire

/// The tunnels that a capture's segments came in, and from which of their ends.
///
/// Whoever can send a packet to one end of a tunnel can make up what is inside. A tunnel out of whose both ends TCP
/// came is trusted, and one that was declared: nobody can send from an end that is not his without forging addresses.
///
/// A class, since the tracker is moved often and this is rarely asked.
final class Carriers {
    /// The number of a segment's carrier where it came in no tunnel.
    static let plain: UInt32 = 0
    /// The number of all tunnels beyond the most that are kept.
    private static let unknown = UInt32.max
    private static let maximumNumbers = 1 << 16

    /// Both ends of a tunnel, in no order.
    struct Ends: Hashable, Sendable {
        let low: IPAddress
        let high: IPAddress

        init(_ a: IPAddress, _ b: IPAddress) { (low, high) = b < a ? (b, a) : (a, b) }
    }

    private struct Known {
        var carrier: Carrier
        /// The ends that TCP came from: 1 the lower, 2 the higher.
        var sources: UInt8 = 0
        var isDeclared: Bool
        var isTwoWay: Bool { sources == 3 }
    }

    private let declared: Set<Ends>
    private var numbers: [Carrier: UInt32] = [:]
    private var known: [Known] = []
    private var endsOfTwoWay: Set<IPAddress> = []
    /// Whether each of them is of a kind that mirrors traffic, as far as they are kept.
    private(set) var areMirrors = true

    init(declared: Set<Ends>) { self.declared = declared }

    var isEmpty: Bool { known.isEmpty }

    /// Takes how a TCP segment was carried.
    /// - Returns: its carrier's number.
    func register(_ path: TunnelPath) -> UInt32 {
        guard !path.isEmpty, let carrier = path.carrier, let outer = path.outer else { return Carriers.plain }
        let number = number(of: carrier)
        guard number != Carriers.unknown else { return number }
        let position = Int(number) - 1
        // A tunnel from an address to itself has one end.
        let source: UInt8 = outer.source == carrier.low ? 1 : 2
        if known[position].sources & source == 0 {
            known[position].sources |= source
            if known[position].isTwoWay { endsOfTwoWay.formUnion([carrier.low, carrier.high]) }
        }
        return number
    }

    /// The number of the carrier of what is no TCP segment.
    func number(of path: TunnelPath) -> UInt32 {
        guard !path.isEmpty, let carrier = path.carrier else { return Carriers.plain }
        return number(of: carrier)
    }

    private func number(of carrier: Carrier) -> UInt32 {
        if let number = numbers[carrier] { return number }
        if !carrier.tunnel.carriesMirrors { areMirrors = false }
        guard known.count < Carriers.maximumNumbers else {
            areMirrors = false
            return Carriers.unknown
        }
        known.append(Known(carrier: carrier, isDeclared: declared.contains(Ends(carrier.low, carrier.high))))
        numbers[carrier] = UInt32(known.count)
        return UInt32(known.count)
    }

    private func entry(_ number: UInt32) -> Known? {
        number == Carriers.plain || number == Carriers.unknown ? nil : known[Int(number) - 1]
    }

    /// Whether what came in a carrier can be believed by itself.
    func isTrusted(_ number: UInt32) -> Bool {
        if number == Carriers.plain { return true }
        guard let entry = entry(number) else { return false }
        return entry.isTwoWay || entry.isDeclared
    }

    /// Whether a segment in one carrier says something of an attempt whose SYN came in another. What came plain does:
    /// an answer may pass the tunnel by (direct server return). A tunnel with several addresses at one end has other
    /// carriers by direction: that end is in a two-way carrier too.
    func speaks(_ number: UInt32, for other: UInt32) -> Bool {
        if number == other || isTrusted(number) { return true }
        guard let entry = entry(number), let other = self.entry(other) else { return false }
        let shared = Set([entry.carrier.low, entry.carrier.high])
            .intersection([other.carrier.low, other.carrier.high])
        return shared.contains { endsOfTwoWay.contains($0) }
    }

    /// The carrier of a number; nil where it is not kept, or where there is none.
    func carrier(_ number: UInt32) -> Carrier? { entry(number)?.carrier }

    /// From which end of a carrier its segments came, if from one only.
    func direction(_ number: UInt32) -> OneWayTunnel? {
        guard let entry = entry(number), !entry.isTwoWay else { return nil }
        let (low, high) = (entry.carrier.low, entry.carrier.high)
        return OneWayTunnel(
            tunnel: entry.carrier.tunnel, source: entry.sources == 2 ? high : low,
            destination: entry.sources == 2 ? low : high)
    }
}

/// A tunnel out of one end of which TCP came.
struct OneWayTunnel: Sendable {
    var tunnel: Tunnel
    var source: IPAddress
    var destination: IPAddress
}

/// The segments of an attempt in tunnels that nobody vouches for. It is a class, since few attempts have such.
final class CarrierDoubts {
    /// The tunnel of the attempt's first segment.
    let oneWay: OneWayTunnel?
    /// Segments, by position in the log, in tunnels that say nothing of it; and the tunnel of the first of them.
    let foreign: BitSet64
    let first: Carrier?

    init(oneWay: OneWayTunnel?, foreign: BitSet64, first: Carrier?) {
        (self.oneWay, self.foreign, self.first) = (oneWay, foreign, first)
    }
}

extension HandshakeTracker {
    /// Whether the current frame's segment, or ICMP error, came in a tunnel that says nothing of an attempt.
    @inline(__always)
    func isForeign(to slot: UInt32) -> Bool {
        carrier != Carriers.plain && carrier != attempts[slot].carrier
            && !attempts[slot].marks.contains(.midstream) && !carriers.speaks(carrier, for: attempts[slot].carrier)
    }

    /// Whether the current frame's segment came as an attempt's first segment did.
    @inline(__always)
    func hasCarrier(of slot: UInt32) -> Bool { attempts[slot].carrier == carrier }

    /// Segments of an attempt's log in tunnels that say nothing of it, by what is known now.
    func foreignSegments(_ slot: UInt32, _ log: [SegmentNote]) -> BitSet64 {
        carriers.isEmpty
            ? BitSet64()
            : BitSet64(first: log.count).filter { !carriers.speaks(log[$0].carrier, for: attempts[slot].carrier) }
    }

    /// Doubts about an attempt from tunnels that nobody vouches for; nil for none.
    func carrierDoubts(_ slot: UInt32, _ log: [SegmentNote]) -> CarrierDoubts? {
        guard !carriers.isEmpty else { return nil }
        let foreign = foreignSegments(slot, log)
        return CarrierDoubts(
            oneWay: isOneWay(slot) ? carriers.direction(attempts[slot].carrier) : nil, foreign: foreign,
            first: foreign.first.flatMap { carriers.carrier(log[$0].carrier) })
    }

    /// Whether all of an attempt came in a tunnel that nobody vouches for. An answer that passed the tunnel by
    /// vouches for the rest, and a capture of nothing but mirrors is one of mirrors.
    func isOneWay(_ slot: UInt32) -> Bool {
        !carriers.isTrusted(attempts[slot].carrier) && !isOfMirrors && !attempts[slot].marks.contains(.isVouchedFor)
    }

    /// Whether all TCP came in tunnels that mirrors use.
    var isOfMirrors: Bool { !traits.hasPlain && !carriers.isEmpty && carriers.areMirrors }
}
