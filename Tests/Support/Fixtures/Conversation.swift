public import HandshakeAnalysis
public import PacketWire
import TestSupport

/// A conversation between a client and a server, as it passes the capture point: frames are added in the order of the
/// capture, with their times. Sequence numbers are given relative to the ISNs.
///
///     var c = Conversation(x: 100, y: 300)
///     c.client("S", at: 0)
///     c.server("S.", at: 20)
///     c.client(".", at: 21)
///     #expect(c.attempts()[0].outcome == .established)
public struct Conversation: Sendable {
    public enum Item: Sendable {
        case segment(Segment, rawOptions: [UInt8]?)
        case icmp(ICMPError, about: Segment)
        /// Octets of a frame as they are.
        case bytes([UInt8])
    }

    public struct TimedItem: Sendable {
        /// Nanoseconds since the epoch.
        public var time: Int64
        public var item: Item

        /// Decoded only where it was given as octets.
        public var frame: Frame {
            switch item {
            case .segment(let segment, _): .segment(segment)
            case .icmp(let error, _): .icmpError(error)
            case .bytes(let bytes): FrameDecoder(.ethernet).decode(bytes.span.bytes, wireLength: bytes.count)
            }
        }
    }

    public var clientEnd: Endpoint
    public var serverEnd: Endpoint
    public var x: UInt32
    public var y: UInt32
    public private(set) var items: [TimedItem] = []
    private var identification: UInt16 = 100

    /// 2026-01-01T00:00:00Z.
    public static let epoch: Int64 = 1_767_225_600_000_000_000

    public init(
        from client: String = "192.0.2.1", _ clientPort: UInt16 = 40000, to server: String = "198.51.100.1",
        _ serverPort: UInt16 = 443, x: UInt32 = 1000, y: UInt32 = 5000
    ) {
        guard let clientAddress = IPAddress(client), let serverAddress = IPAddress(server) else {
            preconditionFailure("\(client) or \(server) is no address")
        }
        clientEnd = Endpoint(clientAddress, clientPort)
        serverEnd = Endpoint(serverAddress, serverPort)
        self.x = x
        self.y = y
    }

    /// tcpdump's letters; `.` is ACK.
    public static func flags(_ text: String) -> TCPFlags {
        text.reduce(into: TCPFlags()) { flags, letter in
            switch letter {
            case "S": flags.insert(.syn)
            case "F": flags.insert(.fin)
            case "R": flags.insert(.rst)
            case "P": flags.insert(.psh)
            case ".": flags.insert(.ack)
            case "U": flags.insert(.urg)
            case "E": flags.insert(.ece)
            case "W": flags.insert(.cwr)
            case "e": flags.insert(.ae)
            default: preconditionFailure("no flag is written \(letter)")
            }
        }
    }

    /// Adds a segment of the client.
    /// - Parameters:
    ///   - time: milliseconds.
    ///   - seq: relative to x; by default 0 for a SYN, else 1.
    ///   - ack: relative to y; by default 1 with the ACK flag.
    ///   - mss: octets, on segments with SYN.
    ///   - ts: TSval and TSecr.
    @discardableResult
    public mutating func client(
        _ flags: String, at time: Double, seq: Int64? = nil, ack: Int64? = nil, len: UInt32 = 0, mss: UInt16? = 1460,
        ts: (UInt32, UInt32)? = nil, edit: (inout Segment) -> Void = { _ in }
    ) -> Segment {
        add(flags, time, clientEnd, serverEnd, x, y, seq, ack, len, mss, ts, edit)
    }

    /// Adds a segment of the server; `seq` is relative to y, `ack` to x.
    @discardableResult
    public mutating func server(
        _ flags: String, at time: Double, seq: Int64? = nil, ack: Int64? = nil, len: UInt32 = 0, mss: UInt16? = 1460,
        ts: (UInt32, UInt32)? = nil, edit: (inout Segment) -> Void = { _ in }
    ) -> Segment {
        add(flags, time, serverEnd, clientEnd, y, x, seq, ack, len, mss, ts, edit)
    }

    private mutating func add(
        _ text: String, _ time: Double, _ source: Endpoint, _ destination: Endpoint, _ own: UInt32, _ peer: UInt32,
        _ seq: Int64?, _ ack: Int64?, _ len: UInt32, _ mss: UInt16?, _ ts: (UInt32, UInt32)?,
        _ edit: (inout Segment) -> Void
    ) -> Segment {
        let flags = Conversation.flags(text)
        var segment = Segment(from: source, to: destination)
        segment.flags = flags
        segment.seq = own &+ UInt32(truncatingIfNeeded: seq ?? (flags.contains(.syn) ? 0 : 1))
        if flags.contains(.ack) { segment.ack = peer &+ UInt32(truncatingIfNeeded: ack ?? 1) }
        segment.payloadLength = len
        segment.window = 64240
        segment.hopLimit = 64
        identification &+= 1
        segment.identification = source.address.version == .v4 ? identification : 0
        if flags.contains(.syn), let mss {
            segment.options.present.insert(.mss)
            segment.options.mss = mss
            segment.options.kinds |= 1 << 2
        }
        if let ts {
            segment.options.present.insert(.timestamps)
            segment.options.tsval = ts.0
            segment.options.tsecr = ts.1
            segment.options.kinds |= 1 << 8
        }
        edit(&segment)
        append(.segment(segment, rawOptions: nil), at: time)
        return segment
    }

    public mutating func append(_ item: Item, at time: Double) {
        items.append(TimedItem(time: Conversation.epoch + Int64((time * 1_000_000).rounded()), item: item))
    }

    /// Captures a segment again.
    public mutating func again(_ segment: Segment, at time: Double, edit: (inout Segment) -> Void = { _ in }) {
        var copy = segment
        edit(&copy)
        append(.segment(copy, rawOptions: nil), at: time)
    }

    /// Adds an ICMP error about a segment.
    public mutating func icmp(
        _ type: UInt8, _ code: UInt8, about segment: Segment, from reporter: String, at time: Double
    ) {
        guard let address = IPAddress(reporter) else { preconditionFailure("\(reporter) is no address") }
        let error = ICMPError(
            reporter: address, type: type, code: code, source: segment.source, destination: segment.destination,
            seq: segment.seq, network: segment.network)
        append(.icmp(error, about: segment), at: time)
    }

    /// A frame that is nobody's: it lets time pass.
    public mutating func idle(until time: Double) {
        append(.bytes([UInt8](repeating: 0xff, count: 12) + [0x08, 0x06] + [UInt8](repeating: 0, count: 46)), at: time)
    }

    /// A whole handshake: SYN at `time`, SYN-ACK 20 ms and ACK 21 ms later.
    public mutating func handshake(at time: Double) {
        client("S", at: time)
        server("S.", at: time + 20)
        client(".", at: time + 21)
    }

    /// The frames of both, in the order of time; of equals, these first.
    public func merged(with other: Conversation) -> Conversation {
        var both = self
        both.items = (items + other.items).enumerated().sorted {
            ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
        }
        .map(\.element)
        return both
    }

    // MARK: Out

    /// What analysis makes of it, the way that the command goes: encoded, decoded in batches, followed.
    public func analysed(
        _ configuration: HandshakeTracker.Configuration = Conversation.configuration
    ) -> (attempts: [AttemptRecord], summary: HandshakeSummary) {
        if needsNoOctets { return analysedFrames(configuration) }
        var tracker = HandshakeTracker(configuration)
        var records: [AttemptRecord] = []
        let decoder = FrameDecoder(.ethernet, verifiesChecksums: configuration.excludesBadChecksums)
        let frames = frames().map { (octets: $0.bytes, time: $0.time) }
        inBatches(frames, tracker.makeBatch(), decoder: decoder, isArriving: true) {
            tracker.receive($0)
            records += tracker.drain()
        }
        records += tracker.finish()
        return (records, tracker.summary)
    }

    /// Whether some segment is in a virtual network, for which there is no encoder: frames then go in as they are.
    private var needsNoOctets: Bool {
        items.contains { if case .segment(let segment) = $0.frame { segment.network != .none } else { false } }
    }

    private func analysedFrames(
        _ configuration: HandshakeTracker.Configuration
    ) -> (attempts: [AttemptRecord], summary: HandshakeSummary) {
        var tracker = HandshakeTracker(configuration)
        var records: [AttemptRecord] = []
        for (position, timed) in items.enumerated() {
            tracker.receive(timed.frame, number: UInt64(position + 1), time: timed.time)
            records += tracker.drain()
        }
        records += tracker.finish()
        return (records, tracker.summary)
    }

    public func attempts() -> [AttemptRecord] { analysed().attempts }

    /// A fixed hash seed.
    public static var configuration: HandshakeTracker.Configuration {
        var configuration = HandshakeTracker.Configuration()
        configuration.hashSeed = 1
        configuration.maximumAttempts = 4096
        return configuration
    }

    /// The frames' octets.
    public func frames(_ linkType: LinkType = .ethernet) -> [(time: Int64, bytes: [UInt8])] {
        items.map { timed in
            switch timed.item {
            case .segment(let segment, let rawOptions):
                var encoder = FrameEncoder(linkType)
                if segment.source != clientEnd { swap(&encoder.sourceMAC, &encoder.destinationMAC) }
                return (timed.time, encoder.encode(segment, rawOptions: rawOptions))
            case .icmp(let error, let segment):
                return (timed.time, FrameEncoder(linkType).encode(error, about: segment))
            case .bytes(let bytes): return (timed.time, bytes)
            }
        }
    }

    /// A classic capture file with nanosecond times, little-endian.
    public func pcap(_ linkType: LinkType = .ethernet, snaplen: Int = 262_144) -> [UInt8] {
        var file = Conversation.pcapHeader(linkType, snaplen: snaplen)
        for (time, bytes) in frames(linkType) {
            let kept = bytes.prefix(snaplen)
            file += UInt32(time / 1_000_000_000).little + UInt32(time % 1_000_000_000).little
            file += UInt32(kept.count).little + UInt32(bytes.count).little + kept
        }
        return file
    }

    public static func pcapHeader(_ linkType: LinkType, snaplen: Int) -> [UInt8] {
        UInt32(0xa1b2_3c4d).little + UInt16(2).little + UInt16(4).little + [0, 0, 0, 0, 0, 0, 0, 0]
            + UInt32(snaplen).little + UInt32(linkType.rawValue).little
    }
}

extension FixedWidthInteger {
    /// The octets, least significant first.
    public var little: [UInt8] {
        stride(from: 0, to: Self.bitWidth, by: 8).map { UInt8(truncatingIfNeeded: self >> $0) }
    }
}
