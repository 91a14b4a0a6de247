import HandshakeComparison
import HandshakeRecord
import HandshakeReport
import PacketCapture
import PacketWire

/// The frames of all points in one pcapng file: an interface for each point and link type, equal packet ids for the
/// same packet, and comments where something happened to it.
struct MergedCapture {
    private let comparison: PathComparison
    /// By how much each point's times are moved, nanoseconds.
    private var shifts: [Int64]
    /// For each point, ids of packets by the frame, and comments.
    private var ids: [[UInt64: UInt64]]
    private var comments: [[UInt64: String]]

    /// - Parameter aligns: whether times are moved to the first point's clock, by the middle of the band.
    init(_ comparison: PathComparison, aligns: Bool) {
        self.comparison = comparison
        let count = comparison.points.count
        shifts = [Int64](repeating: 0, count: count)
        ids = [[UInt64: UInt64]](repeating: [:], count: count)
        comments = [[UInt64: String]](repeating: [:], count: count)
        let home = comparison.order.points[0]
        if aligns {
            for point in 0..<count where point != home {
                guard let start = comparison.points[point].summary.span?.lowerBound,
                    let there = comparison.time(start, of: point, at: home)
                else { continue }
                shifts[point] = there.lowerBound + (there.upperBound - there.lowerBound) / 2 - start
            }
        }
        let words = ComparisonWords(comparison)
        var last: UInt64 = 0
        for place in 0..<comparison.count {
            let verdict = comparison.verdict(place)
            for packet in verdict.packets {
                last += 1
                let comment = words.comment(packet, verdict)
                for (position, segment) in packet.seen.enumerated() {
                    guard let segment else { continue }
                    ids[verdict.points[position]][segment.frame] = last
                    comments[verdict.points[position]][segment.frame] = comment
                }
            }
        }
    }

    /// - Parameter readers: of the points' files, read anew.
    func write(_ readers: [CaptureReader], to file: OutputFile) throws(CommandFailure) {
        var writer = SavefileWriter(.pcapng, [])
        var interfaces: [Interface: Int] = [:]
        var next = readers.map { $0.nextFrame() }
        while let point = earliest(next) {
            guard let frame = next[point] else { break }
            let interface = Interface(point: point, linkType: frame.linkType.rawValue)
            let number = interfaces[interface] ?? interfaces.count
            if interfaces[interface] == nil {
                interfaces[interface] = number
                writer.add(
                    .init(name: comparison.points[point].name, linkType: frame.linkType, snaplen: 262_144))
            }
            writer.write(
                frame.octets, wireLength: frame.wireLength, time: frame.time + shifts[point], interface: number,
                comments: [comments[point][frame.number]].compactMap(\.self), packetID: ids[point][frame.number])
            next[point] = readers[point].nextFrame()
            if writer.octets.count >= StandardOutput.pieceSize { try file.write(writer.takeOctets()) }
        }
        try file.write(writer.takeOctets())
    }

    private struct Interface: Hashable {
        var point: Int
        var linkType: UInt16
    }

    /// The point whose next frame comes first.
    private func earliest(_ next: [CaptureReader.WholeFrame?]) -> Int? {
        next.indices.filter { next[$0] != nil }.min {
            (next[$0]!.time + shifts[$0], $0) < (next[$1]!.time + shifts[$1], $1)
        }
    }
}
