package import HandshakeRecord
import PacketWire

/// The ladder diagram of one attempt: two lifelines, an arrow a segment, the sums that must come out, and findings
/// where they belong.
///
/// A loss is drawn where the evidence puts it. After the capture point: the arrow ends in the middle. Before it: an
/// arrow of its own, without a frame number, that never reached the capture. Unknown: the arrow ends in a question
/// mark.
package struct Ladder {
    let style: TextStyle
    private let record: AttemptRecord
    private let margin: Int
    /// Columns between the two lifelines.
    private let span: Int

    package static let narrowest = 60

    package init(_ record: AttemptRecord, style: TextStyle) {
        self.record = record
        self.style = style
        // Frame number, time, lifeline.
        margin = max(5, "\(record.segments.last?.frame ?? 0)".count) + 1 + 11 + 1
        span = max(Ladder.narrowest, style.width) - margin - 3
    }

    // MARK: Glyphs

    private var rail: String { style.usesUnicode ? "│" : "|" }
    private var dash: Character { style.usesUnicode ? "─" : "-" }
    private var missing: Character { style.usesUnicode ? "╌" : "." }
    private var cross: String { style.usesUnicode ? "╳" : "X" }
    private var rightHead: String { style.usesUnicode ? "▶" : ">" }
    private var leftHead: String { style.usesUnicode ? "◀" : "<" }
    private var tick: String { style.usesUnicode ? "✓" : "ok" }
    private var flaw: String { style.usesUnicode ? "✗" : "WRONG" }

    // MARK: Drawing

    package func draw(to out: inout OutputBuffer) {
        title(to: &out)
        let lost = losses()
        let places = placesOfFindings()
        for (position, segment) in record.segments.enumerated() {
            if position == 24, record.segmentsOmitted > 0 {
                rails("... \(record.segmentsOmitted) more segments ...", to: &out)
            }
            for finding in lost.before[segment.frame] ?? [] { ghost(finding, to: &out) }
            arrow(segment, fate: lost.at[segment.frame], to: &out)
            sums(after: segment, to: &out)
            for finding in places.at[segment.frame] ?? [] { note(finding, to: &out) }
            if let comment = segment.comment { note(comment.cleaned(for: .text), .dim, mark: "# ", to: &out) }
        }
        for finding in places.elsewhere { note(finding, to: &out) }
        footer(to: &out)
    }

    /// The segment that each finding stands beneath: the last of its frames that is drawn. Frames of an attempt's
    /// translated copy are not drawn, nor those that the log left out.
    private func placesOfFindings() -> (at: [UInt64: [Finding]], elsewhere: [Finding]) {
        let drawn = Set(record.segments.map(\.frame))
        var at: [UInt64: [Finding]] = [:]
        var elsewhere: [Finding] = []
        for finding in record.findings {
            if let frame = finding.frames.last(where: drawn.contains) {
                at[frame, default: []].append(finding)
            } else {
                elsewhere.append(finding)
            }
        }
        return (at, elsewhere)
    }

    private func title(to out: inout OutputBuffer) {
        let client = "client \(record.client)"
        let server = "server \(record.server)"
        let room = span + 2
        let words =
            "attempt \(record.id) \(record.outcome.rawValue)" + (record.form.map { ", \($0.rawValue)" } ?? "")
            + (record.completedBy.map { ", by \($0.rawValue)" } ?? "") + ", " + style.zone.rfc3339(record.firstTime)
        for line in words.wrapped(max(Ladder.narrowest, style.width)) { out.line(style.paint(line, .bold)) }
        if client.count + server.count < room {
            let gap = String(repeating: " ", count: room - client.count - server.count)
            out.line(String(repeating: " ", count: margin) + client + gap + server)
        } else {
            out.line(String(repeating: " ", count: margin) + client)
            out.line(String(repeating: " ", count: margin) + server.paddedLeft(room))
        }
        rails("", to: &out)
    }

    /// An empty stretch of both lifelines, with a text between.
    private func rails(_ text: String, left: String = "", to out: inout OutputBuffer) {
        for line in text.wrapped(span - 2) {
            out.line(left.padded(margin) + rail + " " + line.padded(span - 1) + rail)
        }
    }

    private func arrow(_ segment: SegmentRecord, fate: Finding.Location?, to out: inout OutputBuffer) {
        let time = Ladder.seconds(segment.at)
        let stamp = "\(segment.frame)".paddedLeft(margin - 13) + " " + time.paddedLeft(11)
        let place = segment.place.map { " (\($0.file.cleaned(for: .text)): \($0.frame))" } ?? ""
        let lines = (label(segment) + place).wrapped(span - 2)
        for (index, line) in lines.enumerated() {
            rails(line, left: index == 0 ? stamp : "", to: &out)
        }
        let isDuplicate = segment.isDuplicate
        let body = isDuplicate || segment.kind == .icmp ? missing : dash
        let mark = fate == .unknown ? "?" : cross
        let shaft: String
        if segment.fromClient {
            if fate == nil || fate == .beforeCapture {
                shaft = String(repeating: body, count: span - 1) + rightHead
            } else {
                shaft = (String(repeating: body, count: span * 2 / 3) + mark).padded(span)
            }
            out.line(String(repeating: " ", count: margin) + rail + paint(shaft, segment, fate) + rail)
        } else {
            if fate == nil || fate == .beforeCapture {
                shaft = leftHead + String(repeating: body, count: span - 1)
            } else {
                shaft = (mark + String(repeating: body, count: span * 2 / 3)).paddedLeft(span)
            }
            out.line(String(repeating: " ", count: margin) + rail + paint(shaft, segment, fate) + rail)
        }
    }

    private func paint(_ shaft: String, _ segment: SegmentRecord, _ fate: Finding.Location?) -> String {
        if fate == .afterCapture || fate == .unknown { return style.paint(shaft, .yellow) }
        if segment.kind == .rst || segment.kind == .icmp { return style.paint(shaft, .red) }
        return segment.isDuplicate ? style.paint(shaft, .dim) : shaft
    }

    /// A segment that must have been sent and never reached the capture.
    private func ghost(_ finding: Finding, to out: inout OutputBuffer) {
        let fromClient = finding.code != .synackLost
        let name = finding.code == .synackLost ? "SYN-ACK" : finding.code == .ackLost ? "ACK" : "SYN"
        rails("\(name), lost before the capture point", to: &out)
        let half = String(repeating: missing, count: span / 3)
        let shaft = fromClient ? (half + cross).padded(span) : (cross + half).paddedLeft(span)
        out.line(String(repeating: " ", count: margin) + rail + style.paint(shaft, .yellow) + rail)
    }

    private func losses() -> (at: [UInt64: Finding.Location], before: [UInt64: [Finding]]) {
        var at: [UInt64: Finding.Location] = [:]
        var before: [UInt64: [Finding]] = [:]
        for finding in record.findings {
            guard let location = finding.location else { continue }
            if location == .beforeCapture {
                if let frame = finding.frames.first { before[frame, default: []].append(finding) }
            } else {
                for frame in finding.frames { at[frame] = location }
            }
        }
        return (at, before)
    }

    // MARK: Words

    /// Flags, sequence numbers relative and absolute, options.
    private func label(_ segment: SegmentRecord) -> String {
        if let error = segment.icmp {
            return "ICMP \(error.text) (type \(error.type) code \(error.code), \(error.severity.rawValue))"
        }
        let x = record.clientISN
        let y = record.serverISN
        let (own, peer): (UInt32?, UInt32?) = segment.fromClient ? (x, y) : (y, x)
        var words = [segment.isDuplicate ? "captured again:" : nil, name(segment)].compactMap { $0 }
        words.append("seq \(relative(segment.seq, to: own, segment.fromClient ? "x" : "y")) (\(segment.seq))")
        if segment.flags.contains(.ack) {
            words.append("ack \(relative(segment.ack, to: peer, segment.fromClient ? "y" : "x")) (\(segment.ack))")
        }
        if segment.len > 0 { words.append("len \(segment.len)") }
        words.append("win \(segment.window)")
        if let mss = segment.mss { words.append("mss \(mss)") }
        if let scale = segment.windowScale { words.append("wscale \(scale)") }
        if segment.sackPermitted { words.append("sackOK") }
        if let stamps = segment.timestamps { words.append("TS \(stamps.tsval)/\(stamps.tsecr)") }
        return words.joined(separator: " ")
    }

    private func name(_ segment: SegmentRecord) -> String {
        let names: [(TCPFlags, String)] = [
            (.syn, "SYN"), (.fin, "FIN"), (.rst, "RST"), (.psh, "PSH"), (.urg, "URG"), (.ack, "ACK"), (.ece, "ECE"),
            (.cwr, "CWR"), (.ae, "AE"),
        ]
        let set = names.filter { segment.flags.contains($0.0) }.map(\.1)
        return set.isEmpty ? "(no flags)" : set.joined(separator: "-")
    }

    /// `x+1` where the number is near the ISN; otherwise its distance from it.
    private func relative(_ number: UInt32, to isn: UInt32?, _ letter: String) -> String {
        guard let isn else { return "?" }
        let distance = Int32(bitPattern: number &- isn)
        return distance == 0 ? letter : distance > 0 ? "\(letter)+\(distance)" : "\(letter)\(distance)"
    }

    // MARK: Sums

    /// The arithmetic, written out where it is decided.
    private func sums(after segment: SegmentRecord, to out: inout OutputBuffer) {
        let x = record.clientISN
        if segment.kind == .synAck, !segment.fromClient, segment.ack == record.synAckAck.actual,
            record.segments.first(where: { $0.kind == .synAck && !$0.fromClient })?.frame == segment.frame
                || record.synAckAck.ok == true && firstValidSYNACK == segment.frame
        {
            sum("x+1 = \(x)+1", record.synAckAck, "SYN-ACK acknowledges", to: &out)
        }
        let isFinal =
            segment.fromClient && segment.flags.contains(.ack) && !segment.flags.contains(.syn)
            && segment.seq == record.ackSeq.actual && segment.ack == (record.ackAck.actual ?? segment.ack)
        let first = record.segments.first {
            $0.fromClient && $0.flags.contains(.ack) && !$0.flags.contains(.syn) && !$0.isDuplicate
                && $0.seq == record.ackSeq.actual && $0.ack == (record.ackAck.actual ?? $0.ack)
        }
        if isFinal, first?.frame == segment.frame {
            sum("x+1 = \(x)+1", record.ackSeq, "the ACK's SEQ is", to: &out)
            if let y = record.serverISN { sum("y+1 = \(y)+1", record.ackAck, "the ACK acknowledges", to: &out) }
        }
    }

    private var firstValidSYNACK: UInt64? {
        record.segments.first { $0.kind == .synAck && !$0.fromClient && $0.ack == record.synAckAck.actual }?.frame
    }

    private func sum(_ term: String, _ check: ArithmeticCheck, _ what: String, to out: inout OutputBuffer) {
        guard let expected = check.expected, let actual = check.actual, let ok = check.ok else { return }
        let upTo = check.expectedMax.map { " to \($0)" } ?? ""
        let indent = String(repeating: " ", count: margin + 2)
        // Fast Open moves the expectation beyond the bare sum.
        let isn = term.hasPrefix("x") ? record.clientISN : record.serverISN ?? 0
        let wraps = isn == .max ? " (mod 2^32)" : ""
        let shown = isn &+ 1 == expected ? "\(term) = \(expected)\(wraps)\(upTo)" : "expected \(expected)\(upTo)"
        let room = max(Ladder.narrowest, style.width) - indent.count
        let lines = "\(shown); \(what) \(actual) \(ok ? tick : flaw)".wrapped(room)
        for (index, line) in lines.enumerated() {
            out.line(indent + (index == lines.count - 1 ? style.paint(line, ok ? .green : .red) : line))
        }
    }

    private func note(_ finding: Finding, to out: inout OutputBuffer) {
        let words = TextReport.describe(finding, record.segments)
        note(
            "! \(finding.code.severity.rawValue) \(finding.code.rawValue): \(words)",
            finding.code.severity >= .warning ? .yellow : .dim, to: &out)
    }

    /// - Parameter mark: begins each line, so that no word of a text from outside does.
    private func note(_ text: String, _ color: TextStyle.Color, mark: String = "", to out: inout OutputBuffer) {
        let indent = String(repeating: " ", count: margin + 2)
        for line in text.wrapped(max(Ladder.narrowest, style.width) - indent.count - mark.count) {
            out.line(indent + style.paint(mark + line, color))
        }
    }

    private func footer(to out: inout OutputBuffer) {
        rails("", to: &out)
        var figures: [String] = []
        func leg(_ name: String, _ leg: Interval?) {
            guard let leg else { return }
            if let known = leg.nanoseconds {
                figures.append("\(name) \(Format.duration(known)) (\(leg.provenance.rawValue))")
            } else {
                figures.append(
                    "\(name) between \(Format.duration(leg.low)) and \(Format.duration(leg.high)) (\(leg.provenance.rawValue))"
                )
            }
        }
        leg("rtt", record.total)
        leg("to the server", record.synToSynAck)
        leg("to the client", record.synAckToAck)
        if let setup = record.setup { figures.append("setup \(Format.duration(setup))") }
        if let refusal = record.refusal { figures.append("refused after \(Format.duration(refusal))") }
        if let mss = record.negotiatedMSS {
            let sides = [record.clientMSS, record.serverMSS].map { $0.map { "\($0)" } ?? "absent" }
            figures.append("mss \(mss) (client \(sides[0]), server \(sides[1]))")
        }
        figures.append("ended by \(record.ended.rawValue)")
        if record.confidence != .full { figures.append("confidence: \(record.confidence.rawValue)") }
        if !record.clientPath.isEmpty { figures.append("client in \(Format.path(record.clientPath))") }
        if !record.serverPath.isEmpty { figures.append("server in \(Format.path(record.serverPath))") }
        for line in figures.joined(separator: "; ").wrapped(max(Ladder.narrowest, style.width)) { out.line(line) }
    }

    /// Seconds with microseconds from the attempt's first segment.
    private static func seconds(_ nanoseconds: Int64) -> String {
        let micro = (Double(nanoseconds.magnitude) / 1000).rounded()
        return (nanoseconds < 0 ? "-" : "+") + Format.fixed(micro / 1_000_000, 6)
    }
}
