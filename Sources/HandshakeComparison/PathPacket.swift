package import HandshakeRecord
import PacketWire

/// One packet of an attempt on its way along the capture points.
package struct PathPacket: Sendable {
    package var fromClient: Bool
    package var kind: SegmentRecord.Kind
    /// Its segment at each point, in path order from the client to the server; nil where it was not captured.
    package var seen: [PointSegment?]
    /// The positions that it can pass: those on its side of a proxy.
    var side: Range<Int>
    /// What became of it.
    package var fate: Fate = .arrived
    /// Points where it passed and was not captured, as later segments prove.
    package var notCapturedAt: [Int] = []
    /// Whether it is one of several copies that nothing tells apart, of which two points have different numbers.
    package var isOneOfSeveral = false
    /// The stretch that it was made in, where the point before it ought to have it: positions in path order.
    package var madeBetween: Stretch?

    package enum Fate: Sendable, Hashable {
        /// Captured at the last point of its way, or proven to have passed that.
        case arrived
        /// It was captured at the first point of the stretch and not at the second, and its receiver did not get it. If
        /// the second point's capture lost frames, it may have been lost behind that point.
        case lost(Stretch)
        /// It was captured at the first point of the stretch and not at the second. Nothing tells what became of it.
        case lostOrNotCaptured(Stretch)
        /// It was captured at the first point, and the second captured nothing of the kind at that time.
        case notCovered(Stretch)
    }

    /// Positions in the direction in which it travels.
    var way: [Int] { fromClient ? Array(side) : side.reversed() }

    /// Whether the network doubled it, as one point shows: another one may have captured either of the two, or both.
    var isDoubled: Bool { seen.contains { ($0?.spread ?? 0) >= PathComparison.shortestDoubling } }

    /// Whether something happened to it, or may have.
    package var isUnusual: Bool {
        switch fate {
        case .arrived, .notCovered: false
        case .lost, .lostOrNotCaptured: true
        }
    }

    /// Its segment at the point nearest to its sender that captured it.
    package var first: PointSegment? { (fromClient ? seen.first { $0 != nil } : seen.last { $0 != nil }) ?? nil }
    /// Its segment at the point nearest to its receiver.
    package var last: PointSegment? { (fromClient ? seen.last { $0 != nil } : seen.first { $0 != nil }) ?? nil }
}

/// Which segments of an attempt at one point are which packets at the points before it.
struct PacketMatcher {
    /// x and y of the attempt at each point.
    let numbers: [(client: UInt32, server: UInt32?)]
    /// What the packets of this and other attempts showed between two points.
    var keepsTimestamps: (Int, Int) -> Bool
    var keepsIdentifications: (Int, Int) -> Bool
    /// What times say of two segments with equal numbers: the earlier point's, the later's; nil where clocks are not
    /// asked.
    var fit: ((Int, PointSegment, Int, PointSegment) -> Fit)?

    enum Fit { case same, doubtful, other }

    /// Adds a point's segments to the packets. A segment is a packet's where neither could be another's: what is left
    /// are copies of which nothing says which is which.
    /// - Parameters:
    ///   - point: its position.
    ///   - side: the positions that its packets can pass.
    ///   - packets: those of the points before it.
    func add(
        _ segments: ArraySlice<PointSegment>, of point: Int, within side: Range<Int>, to packets: inout [PathPacket]
    ) {
        let segments = Array(segments)
        let fits = segments.map { segment in packets.map { fit($0, segment, point) } }
        var candidates = fits.map { row in row.indices.filter { row[$0] != .other } }
        var matched = [Int?](repeating: nil, count: segments.count)
        var goesOn = true
        while goesOn {
            goesOn = false
            for place in segments.indices where matched[place] == nil && candidates[place].count == 1 {
                let packet = candidates[place][0]
                guard fits[place][packet] == .same else { continue }
                guard candidates.indices.allSatisfy({ $0 == place || !candidates[$0].contains(packet) }) else {
                    continue
                }
                matched[place] = packet
                candidates[place] = []
                goesOn = true
            }
        }
        let known = packets.indices
        for (place, segment) in segments.enumerated() {
            if let packet = matched[place] { packets[packet].seen[point] = segment }
        }
        for (place, segment) in segments.enumerated() where matched[place] == nil {
            var packet = PathPacket(
                fromClient: segment.fromClient, kind: segment.kind,
                seen: [PointSegment?](repeating: nil, count: numbers.count), side: side)
            packet.seen[point] = segment
            // Also where times speak against it: a clock may have stepped.
            for other in known where packets[other].seen[point] == nil && hasNumbers(packets[other], segment, point) {
                packet.isOneOfSeveral = true
                packets[other].isOneOfSeveral = true
            }
            packets.append(packet)
        }
    }

    /// A packet's segment at the last point that has it.
    private func representative(_ packet: PathPacket) -> (Int, PointSegment) {
        let place = packet.seen.lastIndex { $0 != nil } ?? 0
        return (place, packet.seen[place]!)
    }

    private func fit(_ packet: PathPacket, _ segment: PointSegment, _ point: Int) -> Fit {
        guard hasNumbers(packet, segment, point) else { return .other }
        let (place, other) = representative(packet)
        return fit?(place, other, point, segment) ?? .same
    }

    /// Whether a segment has all that the packet has and nothing on the way changes.
    private func hasNumbers(_ packet: PathPacket, _ segment: PointSegment, _ point: Int) -> Bool {
        let (place, other) = representative(packet)
        guard packet.side.contains(point), packet.seen[point] == nil, segment.fromClient == other.fromClient,
            segment.kind == other.kind,
            segment.len == other.len, segment.shape == other.shape
        else { return false }
        if segment.kind == .icmp { return segment.icmp == other.icmp }
        let own = segment.fromClient
        guard
            PacketMatcher.agree(
                segment.seq, own ? numbers[point].client : numbers[point].server, other.seq,
                own ? numbers[place].client : numbers[place].server),
            !segment.flags.contains(.ack)
                || PacketMatcher.agree(
                    segment.ack, own ? numbers[point].server : numbers[point].client, other.ack,
                    own ? numbers[place].server : numbers[place].client)
        else { return false }
        if keepsTimestamps(place, point), segment.hasTimestamps, other.hasTimestamps,
            (segment.tsval, segment.tsecr) != (other.tsval, other.tsecr)
        {
            return false
        }
        let (one, two) = (segment.identification, other.identification)
        return one == 0 || two == 0 || one == two || !keepsIdentifications(place, point)
    }

    /// Whether two numbers are as far from their ISNs. Where one is not known they are compared as they are.
    private static func agree(_ a: UInt32, _ isnOfA: UInt32?, _ b: UInt32, _ isnOfB: UInt32?) -> Bool {
        guard let isnOfA, let isnOfB else { return a == b }
        return a &- isnOfA == b &- isnOfB
    }
}
