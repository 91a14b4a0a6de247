import HandshakeAnalysis
import PacketWire

/// The octets of three frames: SYN, SYN-ACK, ACK.
let frames: [[UInt8]] = {
    let client = Endpoint(IPAddress(v4: 0xc000_0201), 40000)
    let server = Endpoint(IPAddress(v4: 0xc633_6401), 443)
    var (syn, answer, ack) = (
        Segment(from: client, to: server), Segment(from: server, to: client), Segment(from: client, to: server)
    )
    (syn.flags, syn.seq) = (.syn, 1000)
    (answer.flags, answer.seq, answer.ack) = ([.syn, .ack], 5000, 1001)
    (ack.flags, ack.seq, ack.ack) = (.ack, 1001, 5001)
    return [syn, answer, ack].map { FrameEncoder(.ethernet).encode($0) }
}()

// README.md has these lines.
var tracker = HandshakeTracker()
var batch = tracker.makeBatch()
let decoder = FrameDecoder(.ethernet)
for (index, octets) in frames.enumerated() {
    let time = Int64(index) * 10_000_000  // nanoseconds since the epoch
    batch.append(octets, number: UInt64(index + 1), time: time, decoder: decoder)
    if batch.isFull {
        tracker.receive(batch)
        batch.removeAll()
    }
}
tracker.receive(batch)
for attempt in tracker.finish() { print(attempt.client, attempt.outcome, attempt.total?.nanoseconds ?? -1) }
