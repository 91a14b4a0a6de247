import HandshakeExpectation
import HandshakeRecord
import PacketWire

/// Everything that a page counts of the attempts, in bounded memory.
struct PageFigures {
    /// Servers of the grid, and rows of each table.
    static let gridServers = 20
    static let tableRows = 200

    private(set) var timeline = AttemptTimeline()
    private(set) var grid = ServerGrid()
    private(set) var choice = AttemptChoice()
    private(set) var servers: GroupTable
    private(set) var clients: GroupTable
    private var total = ValueHistogram()
    private var serverLeg = ValueHistogram()
    private var clientLeg = ValueHistogram()

    init() {
        do throws(ExpressionError) {
            servers = GroupTable(try Grouping("ip.dst,tcp.dstport"))
            clients = GroupTable(try Grouping("ip.src"))
        } catch {
            preconditionFailure("\(error)")
        }
    }

    mutating func add(_ record: AttemptRecord) {
        // Another one's copy behind a translator counts once.
        if record.copyOf != nil { return }
        timeline.add(record)
        grid.add(record.server, at: record.firstTime, failed: record.failedBecause != nil)
        choice.add(record)
        servers.add(record)
        clients.add(record)
        if let time = record.total?.nanoseconds { total.record(time) }
        if let time = record.synToSynAck?.nanoseconds { serverLeg.record(time) }
        if let time = record.synAckToAck?.nanoseconds { clientLeg.record(time) }
    }

    /// - Parameter record: makes its record.
    mutating func add(_ plain: PlainAttempt, record: () -> AttemptRecord) {
        timeline.add(plain)
        grid.add(plain.server, at: plain.firstTime, failed: false)
        choice.add(plain, record: record)
        servers.add(plain, record: record)
        clients.add(plain, record: record)
        total.record(plain.synToSynAck &+ plain.synAckToAck)
        serverLeg.record(plain.synToSynAck)
        clientLeg.record(plain.synAckToAck)
    }

    /// Round trips by leg, in nanoseconds.
    var legs: [(name: String, times: ValueHistogram)] {
        [("both legs", total), ("to the server and back", serverLeg), ("to the client and back", clientLeg)]
    }
}
