import CLinux
import Glibc
import HandshakeMonitor
import HandshakeReport
package import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// The connections of the service, all on one thread. A connection is for one request: there is no keep-alive, and so
/// nothing that is pipelined. Whatever others do, their number, their memory and their time are bounded.
package final class ServiceServer: Sendable {
    package struct Limits: Sendable {
        /// Connections at a time; half of them may read events.
        package var connections = 256
        /// Octets that wait for slow readers, all of them together, at most, before an answer is made.
        package var octets = 24 << 20
        /// Seconds for a request to come, and for a reader to take something of its answer.
        package var request = 10
        package var stall = 20
        package init() {}

        /// Some free descriptors are left for files and interfaces.
        package mutating func fit(freeDescriptors: Int) { connections = max(4, min(connections, freeDescriptors - 32)) }
    }

    private let group: MultiThreadedEventLoopGroup

    /// Serves on a socket that listens, which it takes over.
    /// - Parameter ended: told when that socket is closed.
    package init(
        _ service: LiveService, on listener: Int32, limits: Limits = Limits(), ended: @escaping @Sendable () -> Void
    ) throws {
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.any()
        let connections = Connections(service, limits, loop)
        let spare = SpareDescriptor(listener, service.counts)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptBackoffHandler(shouldForwardIOErrorCaught: false) { spare.pause(after: $0) })
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try connections.accept(channel) }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            // The system's buffer for a reader is bounded too.
            .childChannelOption(.socketOption(.so_sndbuf), value: 128 << 10)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
        try bootstrap.withBoundSocket(listener).wait().closeFuture.whenComplete { _ in ended() }
        loop.execute { connections.start() }
    }

    package func stop() { try? group.syncShutdownGracefully() }
}

/// A descriptor that is kept, so that somebody can be told where no other is left. Without one, the connection would
/// wait in the kernel's queue, and the loop would be woken for it again and again.
///
/// Unchecked: only the loop's thread touches it.
private final class SpareDescriptor: @unchecked Sendable {
    private let listener: Int32
    private let counts: ServiceCounts
    private var spare = clinux_spare_descriptor()

    init(_ listener: Int32, _ counts: ServiceCounts) {
        self.listener = listener
        self.counts = counts
    }

    /// How long accepting is to rest after it failed.
    func pause(after error: IOError) -> TimeAmount? {
        switch error.errnoCode {
        case ECONNABORTED: return nil
        case EMFILE, ENFILE:
            spare = clinux_turn_away(listener, spare)
            counts.count(.noDescriptor)
            return spare >= 0 ? nil : .seconds(1)
        default: return .seconds(1)
        }
    }
}

/// Counts of connections that were not served to their end.
final class ServiceCounts: Sendable {
    enum Reason: String, CaseIterable {
        /// No request came in time, or a reader took nothing of its answer for too long.
        case timeout
        /// When there was no room for another, its peer was waited for longest, or held most octets.
        case evicted
        /// There was no room, and nobody's to take.
        case full
        case noDescriptor = "no-descriptor"
    }

    private let state = Mutex((open: 0, closed: [Reason: UInt64]()))

    func count(_ reason: Reason) { state.withLock { $0.closed[reason, default: 0] += 1 } }
    func note(open: Int) { state.withLock { $0.open = open } }

    func metrics(to out: inout OutputBuffer) {
        let (open, closed) = state.withLock { $0 }
        out.line("# HELP synscope_service_connections Connections to this service.")
        out.line("# TYPE synscope_service_connections gauge")
        out.line("synscope_service_connections \(open)")
        out.line("# HELP synscope_service_closed_total Connections to this service that were not served to their end.")
        out.line("# TYPE synscope_service_closed_total counter")
        for reason in Reason.allCases {
            out.line("synscope_service_closed_total{reason=\"\(reason.rawValue)\"} \(closed[reason] ?? 0)")
        }
    }
}

/// All connections there are, and what they share: the room, and the events.
///
/// Unchecked: only the loop's thread touches it once it is made.
package final class Connections: @unchecked Sendable {
    let service: LiveService
    let limits: ServiceServer.Limits
    private let loop: any EventLoop
    private var all: [ObjectIdentifier: Connection] = [:]
    private var readers: [ObjectIdentifier: Connection] = [:]
    private var listener: Listener?
    private var look = 0

    /// Between looks for new attempts, and looks between states.
    private static let period = TimeAmount.milliseconds(250)
    private static let looksPerState = 4

    package init(_ service: LiveService, _ limits: ServiceServer.Limits, _ loop: any EventLoop) {
        self.service = service
        self.limits = limits
        self.loop = loop
    }

    /// How many there are.
    package var count: Int { all.count }

    /// Begins to send events, and to end connections that are overdue.
    package func start() {
        loop.scheduleRepeatedTask(initialDelay: Self.period, delay: Self.period) { _ in self.pass() }
    }

    // MARK: Room

    /// Serves a connection on its channel.
    package func accept(_ channel: any Channel) throws {
        if all.count >= limits.connections {
            evict(all.values.filter(\.isWaiting).min { $0.progressed < $1.progressed })
        }
        let connection = Connection(self, channel)
        var head = NIOHTTPDecoderLimitConfiguration()
        head.maxHeaderListSize = 16 << 10
        head.maxHeaderFieldSize = 8 << 10
        head.maxHeaderFieldCount = 100
        let pipeline = channel.pipeline.syncOperations
        // An answer says how long it is, or ends with its connection.
        var framing = HTTPResponseEncoder.Configuration()
        framing.automaticallySetFramingHeaders = false
        try pipeline.addHandler(HTTPResponseEncoder(configuration: framing))
        try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: head)))
        try pipeline.addHandler(connection)
        all[ObjectIdentifier(connection)] = connection
        service.counts.note(open: all.count)
    }

    func end(_ connection: Connection) {
        all[ObjectIdentifier(connection)] = nil
        service.counts.note(open: all.count)
        unsubscribe(connection)
    }

    /// Whether there is room for the connections that there are and the octets that wait, where those that take most
    /// of it go.
    func makeRoom() -> Bool {
        if all.count > limits.connections { return false }
        while true {
            let octets = all.mapValues(\.waitingOctets)
            if octets.values.reduce(0, +) <= limits.octets { return true }
            guard let largest = octets.max(by: { $0.value < $1.value }) else { return true }
            evict(all[largest.key])
        }
    }

    private func evict(_ connection: Connection?) {
        guard let connection else { return }
        service.counts.count(.evicted)
        connection.close()
    }

    private func pass() {
        sendEvents()
        for connection in all.values where connection.isOverdue {
            service.counts.count(.timeout)
            connection.close()
        }
    }

    // MARK: Events

    /// Whether there is room for one more that reads events. It is sent the state at once.
    func subscribe(_ connection: Connection) -> Bool {
        guard readers.count < max(1, limits.connections / 2) else { return false }
        if listener == nil { listener = service.monitor.listen() }
        readers[ObjectIdentifier(connection)] = connection
        return true
    }

    func unsubscribe(_ connection: Connection) {
        guard readers.removeValue(forKey: ObjectIdentifier(connection)) != nil, readers.isEmpty else { return }
        listener?.end()
        listener = nil
    }

    /// `attempt` for each that was decided, `state` each second, `missed` with how many attempts were let go because
    /// a reader was slow. All readers share the octets.
    private func sendEvents() {
        guard let (records, missed) = listener?.take() else { return }
        look += 1
        var buffer = OutputBuffer()
        for record in records {
            buffer.append("event: attempt\ndata: ")
            JSONReport.line(record, RecordContext(.noFile), to: &buffer)
            buffer.append(octet: 10)
        }
        let attempts = ByteBuffer(bytes: buffer.bytes)
        let state = look % Self.looksPerState == 0 ? stateEvent() : nil
        for reader in readers.values { reader.send(attempts, records.count, missed, state) }
    }

    func stateEvent() -> ByteBuffer {
        var buffer = OutputBuffer()
        buffer.append("event: state\ndata: ")
        LiveJSON.state(service.monitor.snapshot(), service.monitor.capture, to: &buffer)
        buffer.append(octet: 10)
        return ByteBuffer(bytes: buffer.bytes)
    }
}

/// One connection, for one request.
final class Connection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Phase {
        /// Its request is not there as a whole.
        case asking
        /// Its answer is on its way.
        case answering
        case reading
        /// All is sent: what it sends is read for a while, since a socket that is closed over unread octets would
        /// reset, and take the answer with it.
        case leaving
    }

    private let connections: Connections
    private let channel: any Channel
    private var phase = Phase.asking
    private var isPeerDone = false
    private var missed = 0
    /// When it last did what is waited for.
    private(set) var progressed = NIODeadline.now()
    private var octetsBefore = 0

    /// Seconds that a peer has to close after its answer.
    private static let farewell = 2
    /// How long one that takes what it is sent may take nothing, and not have to go for others.
    private static let patience = TimeAmount.seconds(1)

    init(_ connections: Connections, _ channel: any Channel) {
        self.connections = connections
        self.channel = channel
    }

    // MARK: What is waited for

    /// Octets that the peer has yet to take.
    var waitingOctets: Int { (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }

    /// Whether the peer is waited for: for its request, for its end, or for a while to take what it is sent.
    var isWaiting: Bool {
        switch phase {
        case .asking, .leaving: true
        case .answering, .reading: .now() - progressed >= Self.patience
        }
    }

    /// Whether the peer was waited for too long.
    var isOverdue: Bool {
        let octets = waitingOctets
        if phase == .answering || phase == .reading, octets == 0 || octets < octetsBefore { progressed = .now() }
        octetsBefore = octets
        let limit =
            switch phase {
            case .asking: connections.limits.request
            case .answering, .reading: connections.limits.stall
            case .leaving: Self.farewell
            }
        return .now() - progressed >= .seconds(Int64(limit))
    }

    func close() {
        connections.end(self)
        channel.close(promise: nil)
    }

    // MARK: What happens to it

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // A body is not read, nor what comes after the first request.
        guard phase == .asking, case .head(let request) = unwrapInboundIn(data) else { return }
        guard connections.makeRoom() else {
            connections.service.counts.count(.full)
            return send(.complaint("too much is asked at once", .serviceUnavailable), request, context)
        }
        var answer = connections.service.answer(request, at: context.localAddress)
        if answer.body == .events, request.method == .GET, !connections.subscribe(self) {
            connections.service.counts.count(.full)
            answer = .complaint("as many readers as there is room for are served already", .serviceUnavailable)
        }
        send(answer, request, context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .some(.inputClosed) = event as? ChannelEvent else { return }
        isPeerDone = true
        if phase != .answering { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // After the request nothing is read. What a socket fails with closes it anyway.
        guard phase == .asking else { return }
        guard let error = error as? HTTPParserError else { return context.close(promise: nil) }
        let request = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")
        switch error {
        case .headerOverflow:
            send(.complaint("a request has at most 16 KiB", .requestHeaderFieldsTooLarge), request, context)
        default: send(.complaint("that is no request of HTTP/1.1", .badRequest), request, context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { connections.end(self) }

    // MARK: What it is sent

    private func send(_ answer: Answer, _ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        progressed = .now()
        // RFC 9110 section 6.2: the highest version that is spoken here, whichever one was asked in.
        var head = HTTPResponseHead(version: .http1_1, status: answer.status)
        head.headers = HTTPHeaders(answer.headers)
        head.headers.add(name: "Server", value: "synscope")
        head.headers.add(name: "Connection", value: "close")
        if case .octets(let octets) = answer.body {
            head.headers.add(name: "Content-Length", value: String(octets.count))
        }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        switch answer.body {
        case .events where request.method != .HEAD:
            phase = .reading
            let state = HTTPServerResponsePart.body(.byteBuffer(connections.stateEvent()))
            return context.writeAndFlush(wrapOutboundOut(state), promise: nil)
        case .octets(let octets) where request.method != .HEAD:
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: octets)))), promise: nil)
        default: break
        }
        phase = .answering
        let bound = context.loopBound
        context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { _ in
            self.leave(bound.value)
        }
    }

    private func leave(_ context: ChannelHandlerContext) {
        if isPeerDone { return context.close(promise: nil) }
        phase = .leaving
        progressed = .now()
        context.close(mode: .output, promise: nil)
    }

    /// Events, where the reader took those before.
    func send(_ attempts: ByteBuffer, _ count: Int, _ dropped: Int, _ state: ByteBuffer?) {
        guard channel.isWritable else {
            missed += count + dropped
            return
        }
        missed += dropped
        var isEmpty = true
        func write(_ octets: ByteBuffer) {
            channel.write(HTTPServerResponsePart.body(.byteBuffer(octets)), promise: nil)
            isEmpty = false
        }
        if missed > 0 { write(ByteBuffer(string: "event: missed\ndata: \(missed)\n\n")) }
        missed = 0
        if attempts.readableBytes > 0 { write(attempts) }
        if let state { write(state) }
        if !isEmpty { channel.flush() }
    }
}
