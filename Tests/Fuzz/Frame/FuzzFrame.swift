import HandshakeAnalysis
import HandshakeReport
import PacketWire

/// Frames of any octets: the first two choose the link type and whether checksums are verified (the top bit); then each
/// frame follows its length and the milliseconds since the one before it. A length of 255 is of a frame that was twice
/// as long on the wire.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    guard count > 2 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let chosen = UInt16(bytes[0] & 0x7f) << 8 | UInt16(bytes[1])
    let catalogue = LinkType.catalogue
    let linkType = LinkType(rawValue: chosen)
    let decoder = FrameDecoder(
        linkType.isDecoded ? linkType : catalogue[Int(chosen) % catalogue.count].type,
        verifiesChecksums: bytes[0] & 0x80 != 0)
    var configuration = HandshakeTracker.Configuration()
    configuration.maximumAttempts = 16
    configuration.hashSeed = 1
    var tracker = HandshakeTracker(configuration)
    var batch = tracker.makeBatch()
    var (position, number, time) = (2, UInt64(0), Int64(1_000_000_000))
    while position + 2 <= count {
        let isCut = bytes[position] == 255
        let length = min(Int(bytes[position]), count - position - 2)
        time += Int64(bytes[position + 1]) * (bytes[position + 1] > 200 ? 1_000_000_000 : 1_000_000)
        let frame = Array(bytes[position + 2..<position + 2 + length])
        number += 1
        let place = batch.count
        batch.append(
            frame.span.bytes, wireLength: isCut ? length * 2 : length, number: number, time: time, decoder: decoder,
            origin: FrameOrigin(interface: Int(bytes[position + 1] & 1), isTimed: true))
        if place < batch.count, batch.heads[place].number == number, batch.heads[place].isUsual,
            bytes[position + 1] & 1 == 0
        {
            // What is recognised as usual is what decoding in full makes of it.
            let whole = decoder.decode(frame.span.bytes, wireLength: isCut ? length * 2 : length)
            precondition(batch.frame(place) == whole.asUsual, "a usual segment is decoded as any")
        }
        if batch.isFull {
            tracker.receive(batch)
            batch.removeAll()
        }
        position += 2 + length
    }
    batch.endFragments()
    tracker.receive(batch)
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
