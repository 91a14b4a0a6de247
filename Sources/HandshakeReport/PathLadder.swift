package import HandshakeComparison
import HandshakeRecord
import PacketWire

/// The ladder of an attempt at several capture points: a lifeline a point, an arrow a packet, from where it was first
/// captured to where it was last. A lost packet's arrow ends between two lifelines. Times are the first point's; beside
/// each arrow stands how long the packet took, between which bounds.
package struct PathLadder {
    private let comparison: PathComparison
    private let verdict: PathVerdict
    private let style: TextStyle
    private let words: ComparisonWords
    /// Columns from one lifeline to the next.
    private let span: Int
    private static let margin = 12

    package init(_ comparison: PathComparison, _ verdict: PathVerdict, _ style: TextStyle) {
        self.comparison = comparison
        self.verdict = verdict
        self.style = style
        words = ComparisonWords(comparison)
        span = max(18, (max(Ladder.narrowest, style.width) - PathLadder.margin - 2) / (verdict.points.count - 1) - 1)
    }

    private var rail: Character { style.usesUnicode ? "│" : "|" }
    private var dash: Character { style.usesUnicode ? "─" : "-" }
    private var cross: Character { style.usesUnicode ? "╳" : "X" }
    private var rightHead: Character { style.usesUnicode ? "▶" : ">" }
    private var leftHead: Character { style.usesUnicode ? "◀" : "<" }
    private var width: Int { (verdict.points.count - 1) * (span + 1) + 1 }

    private func column(_ position: Int) -> Int { position * (span + 1) }

    package func draw(to out: inout OutputBuffer) {
        title(to: &out)
        let start = verdict.nearClient.firstTime
        let home = verdict.attempts.firstIndex { $0 != nil } ?? 0
        let packets = verdict.packets.map { ($0, time($0, at: home)) }.sorted {
            ($0.1, $0.0.first?.frame ?? 0) < ($1.1, $1.0.first?.frame ?? 0)
        }
        for (packet, time) in packets { arrow(packet, time - start, to: &out) }
        if hasUnknownClock { out.line("nothing tells how far the clocks are apart: each point's times are by its own") }
        for sentence in words.differences(verdict) {
            for (place, line) in sentence.wrapped(max(40, style.width - 2)).enumerated() {
                out.line(style.paint((place == 0 ? "! " : "  ") + line, .yellow))
            }
        }
    }

    /// Whether two points have it of which no clocks are known.
    private var hasUnknownClock: Bool {
        let present = verdict.attempts.indices.filter { verdict.attempts[$0] != nil }.map { verdict.points[$0] }
        return zip(present, present.dropFirst()).contains { one, other in
            comparison.clock(one, other)?.pieces.contains(where: \.isBounded) != true
        }
    }

    /// When a packet passed the first point, or would have: by the middle of the band.
    private func time(_ packet: PathPacket, at home: Int) -> Int64 {
        if let own = packet.seen[home] { return own.time }
        for (position, segment) in packet.seen.enumerated() {
            guard let segment else { continue }
            guard let range = comparison.time(segment.time, of: verdict.points[position], at: verdict.points[home])
            else {
                return segment.time
            }
            return range.lowerBound + (range.upperBound - range.lowerBound) / 2
        }
        return 0
    }

    private func title(to out: inout OutputBuffer) {
        let near = verdict.nearClient
        let far = verdict.nearServer
        out.line(
            style.paint("\(near.client) to \(far.server), \(style.zone.rfc3339(near.firstTime))", .bold))
        for (point, attempt) in zip(verdict.points, verdict.attempts) {
            let text = attempt.map { "attempt \($0.id) \($0.outcome.rawValue)" } ?? "not captured"
            out.line("\(words.name(point)): \(text)")
        }
        var names = [Character](repeating: " ", count: width + PathLadder.margin + 40)
        for (position, point) in verdict.points.enumerated() {
            let name = String(words.name(point).prefix(span - 2))
            let isLast = position == verdict.points.count - 1
            let begin = PathLadder.margin + column(position) - (isLast ? name.count - 1 : 0)
            for (offset, letter) in name.enumerated() { names[begin + offset] = letter }
        }
        out.line(String(names).trimmingEnd)
        rails(to: &out)
    }

    private func rails(_ left: String = "", _ text: String = "", to out: inout OutputBuffer) {
        var line = [Character](repeating: " ", count: width)
        for (offset, letter) in text.enumerated() where offset + 2 < width { line[offset + 2] = letter }
        for position in verdict.points.indices where line[column(position)] == " " { line[column(position)] = rail }
        out.line(left.padded(PathLadder.margin) + String(line))
    }

    private func arrow(_ packet: PathPacket, _ at: Int64, to out: inout OutputBuffer) {
        guard let segment = packet.first else { return }
        let stamp = PathLadder.seconds(at).paddedLeft(PathLadder.margin - 1)
        for (place, line) in label(packet, segment).wrapped(width - 4).enumerated() {
            rails(place == 0 ? stamp : "", line, to: &out)
        }
        var line = [Character](repeating: " ", count: width)
        for position in verdict.points.indices { line[column(position)] = rail }
        let seen = packet.seen.indices.filter { packet.seen[$0] != nil }
        guard let low = seen.first, let high = seen.last else { return }
        // From the sender's side: beyond the first and last point there is always something.
        var (begin, end) = (column(low), column(high))
        var mark: Character?
        switch packet.fate {
        case .arrived: break
        case .lost: mark = cross
        case .lostOrNotCaptured: mark = "?"
        // The next point says nothing of it.
        case .notCovered: mark = "."
        }
        if packet.isOneOfSeveral { mark = "?" }
        if mark != nil {
            if packet.fromClient { end = min(width - 1, end + span / 2) } else { begin = max(0, begin - span / 2) }
        }
        if packet.madeBetween != nil {
            if packet.fromClient { begin = max(0, begin - span / 2) } else { end = min(width - 1, end + span / 2) }
        }
        for place in begin...end where line[place] == " " { line[place] = dash }
        if let mark {
            line[packet.fromClient ? end : begin] = mark
        } else if packet.fromClient {
            if end > 0 { line[end - 1] = rightHead }
        } else if begin + 1 < width {
            line[begin + 1] = leftHead
        }
        // Seen at one point only, with nothing lost: a mark on its lifeline.
        if low == high, mark == nil, packet.madeBetween == nil { line[column(low)] = "*" }
        let color: TextStyle.Color? = mark != nil ? .yellow : packet.kind == .rst || packet.kind == .icmp ? .red : nil
        out.line(String(repeating: " ", count: PathLadder.margin) + style.paint(String(line), color))
    }

    private func label(_ packet: PathPacket, _ segment: PointSegment) -> String {
        var parts = [PathComparison.plural(packet.kind, 1)]
        if packet.kind != .icmp {
            parts.append("seq \(segment.seq)")
            if segment.flags.contains(.ack) { parts.append("ack \(segment.ack)") }
            if let mss = segment.mss { parts.append("mss \(mss)") }
            if segment.hasTimestamps { parts.append("TS \(segment.tsval)/\(segment.tsecr)") }
        }
        let frames = packet.seen.compactMap { $0.map { "\($0.frame)" } }
        parts.append("(frame\(frames.count > 1 ? "s" : "") \(frames.joined(separator: ", ")))")
        if let range = comparison.delay(of: packet, verdict) {
            parts.append(
                "took \(Format.duration(max(0, range.lowerBound))) to \(Format.duration(max(0, range.upperBound)))")
        }
        return parts.joined(separator: " ")
    }

    private static func seconds(_ nanoseconds: Int64) -> String {
        let micro = (Double(nanoseconds.magnitude) / 1000).rounded()
        return (nanoseconds < 0 ? "-" : "+") + Format.fixed(micro / 1_000_000, 6)
    }
}

extension String {
    fileprivate var trimmingEnd: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
