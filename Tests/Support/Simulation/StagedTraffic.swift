package import HandshakeDiagnosis
import PacketWire

/// Connections that a test places one by one, each with its course.
package struct StagedTraffic {
    private var frames: [(octets: [UInt8], time: Int64)] = []
    private var draw = Draw(seed: 1)
    private var port: UInt16 = 40_000
    private static let start: Int64 = 1_767_225_600_000_000_000

    package init() {}

    /// A connection.
    /// - Parameters:
    ///   - second: when it begins, from the start on.
    ///   - leg: milliseconds from the capture point to the server and back.
    package mutating func add(
        _ client: String, _ server: String, at second: Double, _ course: Course = .well, leg: Double = 1
    ) {
        guard let address = IPAddress(client), let server = Endpoint(server) else {
            preconditionFailure("\(client) > \(server)")
        }
        port &+= 1
        var wire = Wire(
            .init(time: Self.start + Int64(second * 1e9), client: Endpoint(address, port), server: server), &draw)
        wire.serverLeg = Int64(leg * 1e6)
        wire.run(course, &draw)
        frames += wire.frames
    }

    package func diagnosis() -> Diagnosis {
        // Something at the end, so that silence is told from a capture that ends.
        var all = self
        all.add("192.0.2.250", "192.0.2.251:9", at: 600)
        let order = all.frames.indices.sorted { (all.frames[$0].time, $0) < (all.frames[$1].time, $1) }
        return IncidentWorld.diagnosis(of: order.map { all.frames[$0] })
    }
}
