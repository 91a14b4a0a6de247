import Glibc
import HandshakeAnalysis
import HandshakeReport
import PacketCapture
import PacketWire

/// A capture file of any octets: through the readers, the decompressors, the decoders, the tracker and the JSON writer.
/// What is read must add up.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    // In memory; the reader opens files.
    let path = "/dev/shm/synscope-fuzz-\(getpid())"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    precondition(descriptor >= 0 && write(descriptor, start, count) == count, "\(path) can be written")
    close(descriptor)
    defer { unlink(path) }
    guard
        let reader = try? CaptureReader(paths: [path])
    else { return 0 }
    var configuration = HandshakeTracker.Configuration()
    configuration.maximumAttempts = 64
    configuration.hashSeed = 1
    var tracker = HandshakeTracker(configuration)
    var batch = tracker.makeBatch()
    var out = OutputBuffer()
    while true {
        reader.fill(&batch)
        if batch.count == 0 { break }
        tracker.receive(batch)
        for record in tracker.drain() { JSONReport.line(record, to: &out) }
        out.removeAll()
    }
    for record in tracker.finish() {
        JSONReport.line(record, to: &out)
        Ladder(record, style: TextStyle(usesColor: false, usesUnicode: false, width: 80)).draw(to: &out)
    }
    let frames = tracker.summary.frames
    let sum = frames.segments + frames.ignored.values.reduce(0, +) + frames.malformed.values.reduce(0, +) + frames.cut
    precondition(frames.read == reader.frameNumber, "every frame of the file is counted")
    precondition(sum == frames.read, "the kinds of frames add up")
    return 0
}
