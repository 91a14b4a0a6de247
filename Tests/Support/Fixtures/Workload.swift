import PacketWire

/// Captures for measuring: deterministic, classic pcap, Ethernet, IPv4, TCP, valid checksums.
public struct Workload {
    /// Octets of the file, handed on in pieces.
    public typealias Sink = ([UInt8]) throws -> Void

    private var state: UInt64 = 0x853c_49e6_748f_ea9b
    private var piece: [UInt8] = []
    private let sink: Sink
    private var nanoseconds: Int64 = Conversation.epoch

    public init(_ sink: @escaping Sink) { self.sink = sink }

    // splitmix64
    private mutating func random() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    private struct Flow {
        var segment: Segment
        var reply: Segment
        var step = 0
        var isRefused = false
        var repeatsSYN = false
        var repeatsSYNACK = false
    }

    /// Many connections: each of ten packets (SYN, SYN-ACK, ACK, two small exchanges, FINs), 10,000 open at a time, 1 % of
    /// the SYNs and 1 % of the SYN-ACKs repeated, 0.5 % refused.
    public mutating func manyConnections(_ count: Int) throws {
        piece = Conversation.pcapHeader(.ethernet, snaplen: 262_144)
        var open: [Flow] = []
        var started = 0
        while started < count || !open.isEmpty {
            while open.count < 10_000, started < count {
                open.append(flow(started))
                started += 1
            }
            var position = Int(random() % UInt64(open.count))
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
        piece = Conversation.pcapHeader(.ethernet, snaplen: 262_144)
        for number in 0..<count {
            var flow = flow(number)
            flow.segment.source = Endpoint(
                IPAddress(v4: UInt32(truncatingIfNeeded: random()) | 0x0100_0000),
                UInt16(truncatingIfNeeded: random()) | 1)
            flow.segment.destination = Endpoint(IPAddress(v4: 0xc633_6401), 80)
            try write(flow.segment, .syn, 0)
        }
        try flush()
    }

    private mutating func flow(_ number: Int) -> Flow {
        let client = Endpoint(
            IPAddress(v4: 0x0a00_0000 | UInt32(random() & 0xff_ffff)), UInt16(1024 + random() % 64_000))
        let server = Endpoint(IPAddress(v4: 0xc0a8_0000 | UInt32(number % 5000)), 443)
        var flow = Flow(segment: Segment(from: client, to: server), reply: Segment(from: server, to: client))
        flow.segment.seq = UInt32(truncatingIfNeeded: random())
        flow.reply.seq = UInt32(truncatingIfNeeded: random())
        for path in [\Flow.segment, \Flow.reply] {
            flow[keyPath: path].window = 64240
            flow[keyPath: path].hopLimit = 64
            flow[keyPath: path].options.tsval = UInt32(truncatingIfNeeded: random())
        }
        let dice = random() % 1000
        flow.isRefused = dice < 5
        flow.repeatsSYN = (5..<15).contains(dice)
        flow.repeatsSYNACK = (15..<25).contains(dice)
        return flow
    }

    /// One more packet; whether the flow is over.
    private mutating func step(_ flow: inout Flow) throws -> Bool {
        defer { flow.step += 1 }
        switch flow.step {
        case 0:
            try write(flow.segment, .syn, 0)
            if flow.repeatsSYN { flow.step = -1; flow.repeatsSYN = false; flow.segment.options.tsval &+= 1000 }
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
        segment.identification = UInt16(truncatingIfNeeded: random())
        segment.options.present = .timestamps
        if flags.contains(.syn) {
            segment.options.present.formUnion([.mss, .sackPermitted, .windowScale])
            segment.options.mss = 1460
            segment.options.windowScale = 7
        }
        if flags.contains(.rst) { segment.options.present = [] }
        let bytes = FrameEncoder(.ethernet).encode(segment)
        nanoseconds += Int64(1 + random() % 20) * 1000
        piece += UInt32(nanoseconds / 1_000_000_000).little + UInt32(nanoseconds % 1_000_000_000).little
        piece += UInt32(bytes.count).little + UInt32(bytes.count).little + bytes
        if piece.count > 1 << 20 { try flush() }
    }

    private mutating func flush() throws {
        try sink(piece)
        piece = []
    }
}
