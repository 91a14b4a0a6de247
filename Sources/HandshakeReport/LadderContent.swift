import HandshakeRecord
import PacketWire

/// What a ladder says of an attempt, in whatever way it is drawn.
struct LadderContent {
    private let record: AttemptRecord

    init(_ record: AttemptRecord) { self.record = record }

    /// The attempt's id and what became of it.
    var title: String {
        "attempt \(record.id) \(record.outcome.rawValue)" + (record.form.map { ", \($0.rawValue)" } ?? "")
            + (record.completedBy.map { ", by \($0.rawValue)" } ?? "")
    }

    // MARK: Places

    /// The segment that each finding stands beneath: the last of its frames that is drawn. Frames of an attempt's
    /// translated copy are not drawn, nor those that the log left out.
    var placesOfFindings: (at: [UInt64: [Finding]], elsewhere: [Finding]) {
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

    /// Where segments were lost: captured ones by their frames, and those that never came by before which frame.
    var losses: (at: [UInt64: Finding.Location], before: [UInt64: [Finding]]) {
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

    /// A segment that must have been sent and never reached the capture.
    static func ghost(_ finding: Finding) -> String {
        let name = finding.code == .synackLost ? "SYN-ACK" : finding.code == .ackLost ? "ACK" : "SYN"
        return "\(name), lost before the capture point"
    }

    // MARK: Words

    /// Flags, sequence numbers relative and absolute, options.
    func label(_ segment: SegmentRecord) -> String {
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

    /// A sum that must come out.
    struct Sum {
        var text: String
        var isRight: Bool
    }

    /// The arithmetic, written out where it is decided.
    func sums(after segment: SegmentRecord) -> [Sum] {
        let x = record.clientISN
        var sums: [Sum?] = []
        if segment.kind == .synAck, !segment.fromClient, segment.ack == record.synAckAck.actual,
            record.segments.first(where: { $0.kind == .synAck && !$0.fromClient })?.frame == segment.frame
                || record.synAckAck.ok == true && firstValidSYNACK == segment.frame
        {
            sums.append(sum("x+1 = \(x)+1", record.synAckAck, "SYN-ACK acknowledges"))
        }
        let isFinal =
            segment.fromClient && segment.flags.contains(.ack) && !segment.flags.contains(.syn)
            && segment.seq == record.ackSeq.actual && segment.ack == (record.ackAck.actual ?? segment.ack)
        let first = record.segments.first {
            $0.fromClient && $0.flags.contains(.ack) && !$0.flags.contains(.syn) && !$0.isDuplicate
                && $0.seq == record.ackSeq.actual && $0.ack == (record.ackAck.actual ?? $0.ack)
        }
        if isFinal, first?.frame == segment.frame {
            sums.append(sum("x+1 = \(x)+1", record.ackSeq, "the ACK's SEQ is"))
            if let y = record.serverISN { sums.append(sum("y+1 = \(y)+1", record.ackAck, "the ACK acknowledges")) }
        }
        return sums.compactMap(\.self)
    }

    private var firstValidSYNACK: UInt64? {
        record.segments.first { $0.kind == .synAck && !$0.fromClient && $0.ack == record.synAckAck.actual }?.frame
    }

    private func sum(_ term: String, _ check: ArithmeticCheck, _ what: String) -> Sum? {
        guard let expected = check.expected, let actual = check.actual, let ok = check.ok else { return nil }
        let upTo = check.expectedMax.map { " to \($0)" } ?? ""
        // Fast Open moves the expectation beyond the bare sum.
        let isn = term.hasPrefix("x") ? record.clientISN : record.serverISN ?? 0
        let wraps = isn == .max ? " (mod 2^32)" : ""
        let shown = isn &+ 1 == expected ? "\(term) = \(expected)\(wraps)\(upTo)" : "expected \(expected)\(upTo)"
        return Sum(text: "\(shown); \(what) \(actual)", isRight: ok)
    }

    // MARK: Figures

    /// Round trips, MSS, how it ended.
    var figures: [String] {
        var figures: [String] = []
        func leg(_ name: String, _ leg: Interval?) {
            guard let leg else { return }
            if let known = leg.nanoseconds {
                figures.append("\(name) \(Format.duration(known)) (\(leg.provenance.rawValue))")
            } else {
                figures.append(
                    "\(name) between \(Format.duration(leg.low)) and \(Format.duration(leg.high)) "
                        + "(\(leg.provenance.rawValue))"
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
        return figures
    }

    /// Seconds with microseconds from the attempt's first segment.
    static func seconds(_ nanoseconds: Int64) -> String {
        let micro = (Double(nanoseconds.magnitude) / 1000).rounded()
        return (nanoseconds < 0 ? "-" : "+") + Format.fixed(micro / 1_000_000, 6)
    }
}
