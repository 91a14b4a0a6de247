import HandshakeAnalysis
import HandshakeReport
import PacketWire

/// Frames of any octets: the first octet chooses the link type, then each frame follows its length and the milliseconds since
/// the one before it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    guard count > 1 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let types: [LinkType] = [
        .ethernet, .linuxSLL, .linuxSLL2, .raw, .ipv4, .ipv6, .null, .loop, .ppp, .pppSerial, .cHDLC, .ipoib,
    ]
    var decoder = FrameDecoder(types[Int(bytes[0]) % types.count])
    decoder.verifiesChecksums = bytes[0] & 0x80 != 0
    var configuration = HandshakeTracker.Configuration()
    configuration.maximumAttempts = 16
    configuration.hashSeed = 1
    var tracker = HandshakeTracker(configuration)
    var (position, number, time) = (1, UInt64(0), Int64(1_000_000_000))
    while position + 2 <= count {
        let length = min(Int(bytes[position]), count - position - 2)
        time += Int64(bytes[position + 1]) * (bytes[position + 1] > 200 ? 1_000_000_000 : 1_000_000)
        let frame = Array(bytes[position + 2..<position + 2 + length])
        number += 1
        tracker.receive(decoder.decode(frame.span.bytes, wireLength: length), number: number, time: time)
        position += 2 + length
    }
    var out = OutputBuffer()
    for record in tracker.finish() {
        JSONReport.line(record, to: &out)
        Ladder(record, style: TextStyle(usesColor: false, usesUnicode: false, width: 80)).draw(to: &out)
    }
    let frames = tracker.summary.frames
    let sum = frames.segments + frames.ignored.values.reduce(0, +) + frames.malformed.values.reduce(0, +) + frames.cut
    precondition(frames.read == number && sum == number, "every frame is of one kind")
    return 0
}
