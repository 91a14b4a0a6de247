import FuzzInputs
import HandshakeAnalysis
import HandshakeMonitor
import HandshakeReport
import HandshakeService
import NIOCore
import NIOEmbedded

/// A connection to the service: the first octet says how it behaves, the next ones how many octets each piece has, the
/// rest is what it sends. It goes through the pipeline that the service has, on a loop that makes no system calls.
///
/// - bits 0 to 2: how many pieces come before the last one.
/// - bit 3: the service asks for a token.
/// - bit 4: the client ends its side behind its request.
/// - bit 5: the client takes nothing of what it is sent.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    let octets = FuzzInput.octets(start, count)
    guard let choice = octets.first else { return 0 }
    let cuts = octets.dropFirst().prefix(Int(choice & 7))
    let request = octets.dropFirst(1 + cuts.count)
    let asksForToken = choice & 8 != 0

    let loop = EmbeddedEventLoop()
    let channel = EmbeddedChannel(loop: loop)
    channel.allowRemoteHalfClosure = true
    channel.isWritable = choice & 32 == 0
    let connections = Connections(asksForToken ? guarded : open, ServiceServer.Limits(), loop)
    do {
        try connections.accept(channel)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/client")).wait()
    } catch {
        preconditionFailure("a connection begins: \(error)")
    }
    connections.start()
    var rest = request
    for length in cuts {
        send(rest.prefix(Int(length)), to: channel)
        rest = rest.dropFirst(Int(length))
        loop.run()
    }
    send(rest, to: channel)
    loop.run()
    if choice & 16 != 0 { channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
    var answer = taken(from: channel)
    // Events come with time, for those that read them.
    if answer.starts(with: "HTTP/1.1 200".utf8), channel.isActive {
        monitor.take(FuzzInput.attempts, LiveStanding(), now: 2_000_000_000)
        loop.advanceTime(by: .seconds(2))
        answer += taken(from: channel)
    }
    require(answer, to: request, asksForToken)
    channel.close(promise: nil)
    loop.run()
    precondition(connections.count == 0, "a connection that ended is not kept")
    // The loop's tasks end with it. What is left in the pipeline is of no interest, nor are its errors.
    _ = try? channel.finish(acceptAlreadyClosed: true)
    return 0
}

private let token = "0123456789abcdef"

private let monitor: Monitor = {
    let monitor = Monitor(CaptureDescription(files: [], filter: nil, started: nil), started: 1_000_000_000)
    monitor.take(FuzzInput.attempts, LiveStanding(), now: 2_000_000_000)
    return monitor
}()

private let open = LiveService(monitor, release: "fuzz")

private let guarded: LiveService = {
    var access = ServiceAccess()
    access.token = Array(token.utf8)
    return LiveService(monitor, release: "fuzz", access: access)
}()

private func send(_ octets: ArraySlice<UInt8>, to channel: EmbeddedChannel) {
    // A channel that was closed takes nothing. An error of the pipeline is thrown here once it has been handled.
    guard channel.isActive, !octets.isEmpty else { return }
    _ = try? channel.writeInbound(ByteBuffer(bytes: octets))
}

private func taken(from channel: EmbeddedChannel) -> [UInt8] {
    var octets: [UInt8] = []
    while let buffer = try? channel.readOutbound(as: ByteBuffer.self) { octets += buffer.readableBytesView }
    return octets
}

/// What an answer must be, whatever was asked: one answer, of the length that it says, and nothing of attempts for
/// whoever does not know a name of this service, and its token.
private func require(_ answer: [UInt8], to request: ArraySlice<UInt8>, _ asksForToken: Bool) {
    if answer.isEmpty { return }
    let text = String(decoding: answer, as: UTF8.self)
    precondition(text.hasPrefix("HTTP/1."), "an answer is one of HTTP")
    guard let end = answer.firstRange(of: Array("\r\n\r\n".utf8)) else { preconditionFailure("a head has an end") }
    let head = String(decoding: answer[..<end.lowerBound], as: UTF8.self)
    let body = answer[end.upperBound...]
    for line in head.split(separator: "\r\n").dropFirst() {
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { preconditionFailure("a header has a name and a value") }
        guard parts[0] == "Content-Length" else { continue }
        let isWhole = Int(parts[1].dropFirst()) == body.count
        precondition(isWhole || body.isEmpty && request.starts(with: "HEAD ".utf8), "an answer is as long as it says")
    }
    let asked = String(decoding: request, as: UTF8.self).lowercased()
    let names = ["localhost", "127.0.0.1", "::1"]
    if text.contains("192.0.2.1") || text.hasPrefix("HTTP/1.1 200") {
        precondition(names.contains { asked.contains($0) }, "whoever has no name of this service is told nothing")
        precondition(!asksForToken || asked.contains(token), "whoever has no token is told nothing")
    }
}
