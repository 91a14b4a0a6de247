import PacketWire
import TestSupport

/// Captures for measuring: deterministic, Ethernet, TCP, valid checksums.
public struct Workload {
    /// Octets of the file, handed on in pieces.
    public typealias Sink = ([UInt8]) throws -> Void

    /// How the frames are carried and kept.
    public enum Form: Sendable {
        /// IPv4, classic pcap, nanoseconds.
        case classic
        /// IPv6 in a VLAN, pcapng, microseconds.
        case modern
    }

    private let form: Form

    private var numbers = RandomNumbers(seed: 0x853c_49e6_748f_ea9b)
    private var piece: [UInt8] = []
    private let sink: Sink
    private var nanoseconds: Int64 = Conversation.epoch

    public init(_ form: Form = .classic, _ sink: @escaping Sink) {
        self.form = form
        self.sink = sink
    }

    private struct Flow {
        var segment: Segment
        var reply: Segment
        var step = 0
        var isRefused = false
        var repeatsSYN = 0
        var repeatsSYNACK = false
    }

    /// Many connections: each of ten packets (SYN, SYN-ACK, ACK, two small exchanges, FINs), 1 % of the SYNs and 1 % of
    /// the SYN-ACKs repeated, 0.5 % refused.
    /// - Parameters:
    ///   - most: how many are open at a time.
    ///   - repeats: how often each SYN is repeated, if it is not to be as above.
    public mutating func manyConnections(_ count: Int, open most: Int = 10_000, repeatingSYNs repeats: Int? = nil)
        throws
    {
        begin()
        var open: [Flow] = []
        var started = 0
        while started < count || !open.isEmpty {
            while open.count < most, started < count {
                var next = flow(started)
                if let repeats { (next.repeatsSYN, next.isRefused, next.repeatsSYNACK) = (repeats, false, false) }
                open.append(next)
                started += 1
            }
            var position = Int(numbers.next() % UInt64(open.count))
            // Runs of neighbours, as traffic has them.
            for _ in 0..<4 where !open.isEmpty {
                position = position < open.count ? position : 0
                if try step(&open[position]) { open.swapAt(position, open.count - 1); open.removeLast() }
                position += 1
            }
        }
        try flush()
    }

    /// A SYN flood: random sources, no answer.
    public mutating func flood(_ count: Int) throws {
        begin()
        for number in 0..<count {
            var flow = flow(number)
            flow.segment.source = Endpoint(
                address(UInt32(truncatingIfNeeded: numbers.next()) | 0x0100_0000),
                UInt16(truncatingIfNeeded: numbers.next()) | 1)
            flow.segment.destination = Endpoint(address(0xc633_6401), 80)
            try write(flow.segment, .syn, 0)
        }
        try flush()
    }

    /// Bulk: 2,000 connections, then so many frames of 1,514 octets from their clients.
    public mutating func bulk(_ count: Int) throws {
        begin()
        var open: [Flow] = []
        for number in 0..<2000 {
            var next = flow(number)
            (next.repeatsSYN, next.isRefused, next.repeatsSYNACK) = (0, false, false)
            for _ in 0..<3 { _ = try step(&next) }
            open.append(next)
        }
        for _ in 0..<count {
            let position = Int(numbers.next() % UInt64(open.count))
            _ = try say(&open[position], true, .ack, form == .classic ? 1448 : 1424)
        }
        try flush()
    }

    private mutating func begin() {
        switch form {
        case .classic: piece = Conversation.pcapHeader(.ethernet, snaplen: 262_144)
        case .modern:
            // Section header: byte order, version 1.0, length unknown. Interface: Ethernet, no limit, microseconds.
            piece = UInt32(0x0a0d_0d0a).little + UInt32(28).little + UInt32(0x1a2b_3c4d).little
            piece += UInt32(1).little + UInt32.max.little + UInt32.max.little + UInt32(28).little
            piece += UInt32(1).little + UInt32(20).little + UInt32(1).little + UInt32(0).little + UInt32(20).little
        }
    }

    private func address(_ bits: UInt32) -> IPAddress {
        form == .classic ? IPAddress(v4: bits) : IPAddress(v6High: 0x2001_0db8_0000_0000, low: UInt64(bits))
    }

    private mutating func flow(_ number: Int) -> Flow {
        let client = Endpoint(
            address(0x0a00_0000 | UInt32(numbers.next() & 0xff_ffff)), UInt16(1024 + numbers.next() % 64_000))
        let server = Endpoint(address(0xc0a8_0000 | UInt32(number % 5000)), 443)
        var flow = Flow(segment: Segment(from: client, to: server), reply: Segment(from: server, to: client))
        flow.segment.seq = UInt32(truncatingIfNeeded: numbers.next())
        flow.reply.seq = UInt32(truncatingIfNeeded: numbers.next())
        for path in [\Flow.segment, \Flow.reply] {
            flow[keyPath: path].window = 64240
            flow[keyPath: path].hopLimit = 64
            if form == .modern { flow[keyPath: path].vlan = VLANTags([100]) }
            flow[keyPath: path].options.tsval = UInt32(truncatingIfNeeded: numbers.next())
        }
        let dice = numbers.next() % 1000
        flow.isRefused = dice < 5
        flow.repeatsSYN = (5..<15).contains(dice) ? 1 : 0
        flow.repeatsSYNACK = (15..<25).contains(dice)
        return flow
    }

    /// One more packet; whether the flow is over.
    private mutating func step(_ flow: inout Flow) throws -> Bool {
        defer { flow.step += 1 }
        switch flow.step {
        case 0:
            try write(flow.segment, .syn, 0)
            if flow.repeatsSYN > 0 { flow.step = -1; flow.repeatsSYN -= 1; flow.segment.options.tsval &+= 1000 }
            return false
        case 1:
            flow.reply.ack = flow.segment.seq &+ 1
            flow.reply.options.tsecr = flow.segment.options.tsval
            if flow.isRefused {
                flow.reply.seq = 0
                try write(flow.reply, [.rst, .ack], 0)
                return true
            }
            try write(flow.reply, [.syn, .ack], 0)
            if flow.repeatsSYNACK { flow.step = 0; flow.repeatsSYNACK = false }
            return false
        case 2:
            flow.segment.seq &+= 1
            flow.reply.seq &+= 1
            return try say(&flow, true, .ack, 0)
        case 3: return try say(&flow, true, [.psh, .ack], 40)
        case 4: return try say(&flow, false, [.psh, .ack], 54)
        case 5: return try say(&flow, true, [.psh, .ack], 20)
        case 6: return try say(&flow, false, [.psh, .ack], 30)
        case 7: return try say(&flow, true, [.fin, .ack], 0)
        case 8: return try say(&flow, false, [.fin, .ack], 0)
        default:
            _ = try say(&flow, true, .ack, 0)
            return true
        }
    }

    private mutating func say(_ flow: inout Flow, _ fromClient: Bool, _ flags: TCPFlags, _ length: UInt32) throws
        -> Bool
    {
        if fromClient {
            flow.segment.ack = flow.reply.seq
            try write(flow.segment, flags, length)
            flow.segment.seq &+= length &+ (flags.contains(.fin) ? 1 : 0)
        } else {
            flow.reply.ack = flow.segment.seq
            try write(flow.reply, flags, length)
            flow.reply.seq &+= length &+ (flags.contains(.fin) ? 1 : 0)
        }
        return false
    }

    private mutating func write(_ template: Segment, _ flags: TCPFlags, _ length: UInt32) throws {
        var segment = template
        segment.flags = flags
        segment.payloadLength = length
        segment.identification = UInt16(truncatingIfNeeded: numbers.next())
        segment.options.present = .timestamps
        if flags.contains(.syn) {
            segment.options.present.formUnion([.mss, .sackPermitted, .windowScale])
            segment.options.mss = 1460
            segment.options.windowScale = 7
        }
        if flags.contains(.rst) { segment.options.present = [] }
        let bytes = FrameEncoder(.ethernet).encode(segment)
        nanoseconds += Int64(1 + numbers.next() % 20) * 1000
        let length = UInt32(bytes.count)
        switch form {
        case .classic:
            piece += UInt32(nanoseconds / 1_000_000_000).little + UInt32(nanoseconds % 1_000_000_000).little
            piece += length.little + length.little + bytes
        case .modern:
            let padding = (4 - length % 4) % 4
            let micros = UInt64(nanoseconds / 1000)
            let total = 32 + length + padding
            piece += UInt32(6).little + total.little + UInt32(0).little + UInt32(micros >> 32).little
            piece += UInt32(truncatingIfNeeded: micros).little + length.little + length.little + bytes
            piece += [UInt8](repeating: 0, count: Int(padding)) + total.little
        }
        if piece.count > 1 << 20 { try flush() }
    }

    private mutating func flush() throws {
        try sink(piece)
        piece = []
    }
}
