import Foundation
@testable import HandshakeAnalysis
import PacketWire
import Testing

/// The classifier's table, as text: what came before, then a segment by its sender, control bits and numbers, and the
/// event that it is. A change of behaviour is a change of Golden/classifier.txt.
/// `SYNSCOPE_UPDATE_GOLDEN=1 swift test --filter ClassifierTableTests` (or `make golden`) writes it anew.
@Suite("The classifier's table")
struct ClassifierTableTests {
    static let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/classifier.txt")
    private static let client = Endpoint(IPAddress(v4: 0xc000_0201), 40000)
    private static let server = Endpoint(IPAddress(v4: 0xc633_6401), 443)
    private static let (x, y): (UInt32, UInt32) = (1_000_000, 5_000_000)

    /// What came before the segment.
    private enum History: String, CaseIterable {
        case syn = "SYN"
        case synAck = "SYN, SYN-ACK"
        case wrongSynAck = "SYN, SYN-ACK of x+5"
        case challenge = "SYN, ACK of x-7"
        case established = "SYN, SYN-ACK, ACK"
        case lone = "SYN-ACK"

        var segments: [Segment] {
            let (x, y) = (ClassifierTableTests.x, ClassifierTableTests.y)
            let syn = segment(fromClient: true, .syn, x, 0, 0)
            let synAck = segment(fromClient: false, [.syn, .ack], y, x + 1, 0)
            switch self {
            case .syn: return [syn]
            case .synAck: return [syn, synAck]
            case .wrongSynAck: return [syn, segment(fromClient: false, [.syn, .ack], y, x + 5, 0)]
            case .challenge: return [syn, segment(fromClient: false, .ack, y + 70_000, x - 7, 0)]
            case .established: return [syn, synAck, segment(fromClient: true, .ack, x + 1, y + 1, 0)]
            case .lone: return [synAck]
            }
        }
    }

    private static func segment(
        fromClient: Bool, _ flags: TCPFlags, _ seq: UInt32, _ ack: UInt32, _ length: UInt32
    ) -> Segment {
        var segment = Segment(from: fromClient ? client : server, to: fromClient ? server : client)
        (segment.flags, segment.seq, segment.ack, segment.payloadLength) = (flags, seq, ack, length)
        segment.window = 60_000
        return segment
    }

    private static let kinds: [(name: String, flags: TCPFlags, length: UInt32)] = [
        ("ACK", .ack, 0), ("ACK, 10 octets", .ack, 10), ("FIN-ACK", [.fin, .ack], 0), ("no ACK, 10 octets", .psh, 10),
        ("SYN-ACK", [.syn, .ack], 0), ("RST", .rst, 0), ("RST-ACK", [.rst, .ack], 0),
    ]

    static var table: String {
        var lines = ["# What came before, and who sends which segment. Then its SEQ, and its event by its ACK."]
        for history in History.allCases {
            for fromClient in [true, false] {
                for kind in kinds {
                    lines.append("")
                    lines.append("\(history.rawValue) | \(fromClient ? "client" : "server") \(kind.name)")
                    let (own, peer) = fromClient ? (("x", x), ("y", y)) : (("y", y), ("x", x))
                    for (seqName, seq) in around(own.0, own.1) {
                        lines.append(
                            "  SEQ \(seqName): " + events(history, fromClient, kind.flags, kind.length, seq, peer))
                    }
                }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// An initial sequence number, what is next, and numbers within and beyond the window.
    private static func around(_ name: String, _ isn: UInt32) -> [(String, UInt32)] {
        [
            ("0", 0), (name, isn), ("\(name)+1", isn + 1), ("\(name)+100", isn + 100),
            ("\(name)+10^8", isn + 100_000_000),
        ]
    }

    /// The ACKs that lead to each event, in their order.
    private static func events(
        _ history: History, _ fromClient: Bool, _ flags: TCPFlags, _ length: UInt32, _ seq: UInt32,
        _ peer: (String, UInt32)
    ) -> String {
        var found: [(event: String, acks: [String])] = []
        for (ackName, ack) in around(peer.0, peer.1) {
            let event = event(history, segment(fromClient: fromClient, flags, seq, ack, length))
            if let position = found.firstIndex(where: { $0.event == event }) {
                found[position].acks.append(ackName)
            } else {
                found.append((event, [ackName]))
            }
        }
        if found.count == 1 { return found[0].event }
        return found.map { "\($0.event) (ACK \($0.acks.joined(separator: ", ")))" }.joined(separator: ", ")
    }

    /// What a detailed tracker makes of a segment, 300 ms behind what came before.
    private static func event(_ history: History, _ segment: Segment) -> String {
        var tracker = HandshakeTracker()
        var time: Int64 = 1_000_000_000
        for (index, earlier) in history.segments.enumerated() {
            tracker.receive(.segment(earlier), number: UInt64(index + 1), time: time)
            time += 20_000_000
        }
        (tracker.frame, tracker.time) = (9, time + 280_000_000)
        let key = ConnectionKey(client, server)
        let slot = tracker.find(key, key.tuple.hash(seed: tracker.seed))
        guard slot != 0 else { return "no attempt" }
        tracker.giveDetail(slot)
        return "\(tracker.classify(segment, slot))"
    }

    @Test("Each segment is the event that the golden file says")
    func matchesGolden() throws {
        let now = ClassifierTableTests.table
        if ProcessInfo.processInfo.environment["SYNSCOPE_UPDATE_GOLDEN"] != nil {
            try now.write(to: ClassifierTableTests.file, atomically: true, encoding: .utf8)
        }
        let golden = try String(contentsOf: ClassifierTableTests.file, encoding: .utf8).split(separator: "\n")
        let lines = now.split(separator: "\n")
        #expect(golden.count == lines.count)
        for (was, current) in zip(golden, lines) { #expect(was == current) }
    }
}
