import HandshakeAnalysis
import HandshakeDiagnosis
import PacketWire

// Thirty clients are refused by one port.
var tracker = HandshakeTracker()
for client in UInt32(1)...30 {
    let ends = (Endpoint(IPAddress(v4: 0xc000_0200 + client), 40000), Endpoint(IPAddress(v4: 0xc633_6401), 443))
    var (syn, rst) = (Segment(from: ends.0, to: ends.1), Segment(from: ends.1, to: ends.0))
    (syn.flags, syn.seq) = (.syn, 1000)
    (rst.flags, rst.ack) = ([.rst, .ack], 1001)
    let time = Int64(client) * 1_000_000_000
    tracker.receive(.segment(syn), number: UInt64(client) * 2 - 1, time: time)
    tracker.receive(.segment(rst), number: UInt64(client) * 2, time: time + 1_000_000)
}
let diagnosis = Diagnosis(tracker.finish())
for situation in diagnosis.situations {
    print(situation.code.rawValue, situation.affected, situation.code.explanation.title)
}
