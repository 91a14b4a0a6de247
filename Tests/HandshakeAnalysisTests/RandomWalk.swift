import PacketWire
import TestSupport

/// Connections of which each goes on as it should with some probability, and else sends something that nearly fits.
struct RandomWalk {
    private struct Connection {
        var client: Segment
        var server: Segment
        var step = 0
        /// Its first SYN, and the last bare ACK of the server before it began anew.
        var syn: Segment?
        var challenge: Segment?
    }

    private var numbers: RandomNumbers
    private let isCalm: Bool
    private var connections: [Connection] = []
    private var time: Int64 = 1_700_000_000_000_000_000

    /// - Parameter seed: walks of even seeds have calm time: no frame comes long after another, or before it.
    init(seed: UInt64, tuples: Int = 4) {
        numbers = RandomNumbers(seed: seed &* 0x9e37_79b9_7f4a_7c15)
        isCalm = seed.isMultiple(of: 2)
        for number in 0..<tuples {
            let isV6 = number % 4 == 3
            func endpoint(_ host: UInt32, _ port: UInt16) -> Endpoint {
                Endpoint(isV6 ? IPAddress(v6High: 0x2001_0db8 << 32, low: UInt64(host)) : IPAddress(v4: host), port)
            }
            let client = endpoint(0x0a00_0001 + UInt32(number % 3), UInt16(1000 + number))
            let server = endpoint(number % 2 == 0 ? 0x0a00_0000 : 0x0b00_0000, 80)
            connections.append(
                Connection(client: Segment(from: client, to: server), server: Segment(from: server, to: client)))
        }
    }

    private mutating func random(_ bound: UInt64) -> UInt64 { numbers.next(below: bound) }

    mutating func frames(_ count: Int = 120) -> [(octets: [UInt8], time: Int64)] {
        (0..<count).map { _ in
            // Mostly microseconds; now and then a second, a minute, or back.
            switch isCalm ? 5 : random(40) {
            case 0: time += 1_100_000_000
            case 1: time += 12_000_000_000
            case 2: time += 40_000_000_000
            case 3: time -= 40_000_000
            case 4: break
            default: time += Int64(random(3_000_000))
            }
            return (FrameEncoder(.ethernet).encode(next()), time)
        }
    }

    private mutating func next() -> Segment {
        let position = Int(random(UInt64(connections.count)))
        var connection = connections[position]
        defer { connections[position] = connection }
        if connection.step > 0, random(30) == 0 { connection.step = 0 }
        let isOrdinary = random(8) != 0
        var segment: Segment
        switch connection.step {
        case 0:
            connection.challenge = connection.server
            connection.challenge?.ack = connection.client.seq
            connection.challenge?.flags = .ack
            connection.client.seq =
                random(12) == 0 ? connection.client.seq &+ 1 : UInt32(truncatingIfNeeded: random(.max))
            connection.server.seq = UInt32(truncatingIfNeeded: random(.max))
            segment = connection.client
            segment.flags = .syn
            segment.ack = 0
            connection.syn = segment
            connection.step = 1
        case 1:
            segment = connection.server
            segment.flags = [.syn, .ack]
            segment.ack = connection.client.seq &+ 1
            connection.step = 2
        case 2:
            connection.client.seq &+= 1
            connection.server.seq &+= 1
            segment = connection.client
            segment.flags = .ack
            segment.ack = connection.server.seq
            segment.payloadLength = random(4) == 0 ? 10 : 0
            connection.client.seq &+= segment.payloadLength
            connection.step = 3
        default:
            let fromClient = random(2) == 0
            segment = fromClient ? connection.client : connection.server
            segment.ack = fromClient ? connection.server.seq : connection.client.seq
            segment.flags = random(6) == 0 ? [.fin, .ack] : random(20) == 0 ? [.rst, .ack] : .ack
            segment.payloadLength = UInt32(random(3)) * 20
            if fromClient {
                connection.client.seq &+= segment.payloadLength
            } else {
                connection.server.seq &+= segment.payloadLength
            }
        }
        if !isOrdinary {
            // Something else: again, from the other side, other flags, or a number beside.
            switch random(11) {
            case 0: segment.flags = .syn
            case 1: segment.flags = [.syn, .ack]
            case 2: segment.flags = [.rst]
            case 3: segment.flags = [.fin, .ack]
            case 4: segment.seq &+= UInt32(random(3)) &- 1
            case 5: segment.ack &+= UInt32(random(3)) &- 1
            case 6: (segment.source, segment.destination) = (segment.destination, segment.source)
            case 7: connection.step = max(0, connection.step - 1)
            case 8: segment = connection.challenge ?? segment
            default: segment = connection.syn ?? segment
            }
        }
        segment.window = UInt16(1000 + random(3))
        segment.hopLimit = UInt8(60 + random(2))
        segment.identification = UInt16(random(3))
        if random(3) > 0 {
            segment.options.present = .timestamps
            segment.options.tsval = UInt32(truncatingIfNeeded: time / 1_000_000)
            segment.options.tsecr =
                segment.flags.isSYN ? 0 : UInt32(truncatingIfNeeded: time / 1_000_000) &- UInt32(random(2))
        }
        if segment.flags.contains(.syn) {
            segment.options.present.insert(.mss)
            segment.options.mss = random(10) == 0 ? 100 : 1460
            if random(2) == 0 { segment.options.present.insert(.sackPermitted) }
        }
        return segment
    }
}
