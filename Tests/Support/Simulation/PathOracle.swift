import HandshakeComparison
import HandshakeRecord
import PacketWire

/// What a comparison said of a path of which the truth is known.
package struct PathVerdictCounts: Sendable {
    package var connections = 0
    /// Packets that two points captured, copies that are equal to others left out; how many of them were matched.
    package var seenTwice = 0
    package var matched = 0
    package var falseMatches = 0
    package var lost = 0
    package var saidLost = 0
    package var saidUnclear = 0
    package var notCaptured = 0
    package var refused = 0
    /// Packets that are said to be lost, that a capture lost without a word, and of which the answer was lost too.
    package var doubleFaults = 0
    /// Packets that are said to be lost, and came when the attempt was over at that point.
    package var heldBack = 0
    package var bands = 0
    /// Attempts of which both sides of a proxy have an answer: said to be two handshakes, and not.
    package var proxied = 0
    package var notProxied = 0
    /// Bands without the true offset: the network doubled a packet, and a point's capture lost the first of the two.
    package var mixedCopies = 0
    /// What it said that did not happen.
    package var wrong: [String] = []

    /// Attempts of which it said so, with all that the points captured of them.
    package var listings: [String] = []
    /// Segments that two points captured and that are in no match, by what they are.
    package var unmatched: [String: Int] = [:]
    package var notMatchedExamples: [String] = []

    package init() {}

    package mutating func add(_ other: PathVerdictCounts) {
        connections += other.connections
        seenTwice += other.seenTwice
        matched += other.matched
        falseMatches += other.falseMatches
        lost += other.lost
        saidLost += other.saidLost
        saidUnclear += other.saidUnclear
        notCaptured += other.notCaptured
        refused += other.refused
        doubleFaults += other.doubleFaults
        bands += other.bands
        heldBack += other.heldBack
        proxied += other.proxied
        notProxied += other.notProxied
        mixedCopies += other.mixedCopies
        wrong += other.wrong
        unmatched.merge(other.unmatched, uniquingKeysWith: +)
    }
}

extension PathWorld {
    /// Compares what is said of the path with what happened.
    package func judged() -> PathVerdictCounts {
        var counts = PathVerdictCounts()
        counts.connections = worlds.reduce(0) { $0 + $1.attempts.count }
        switch comparison() {
        case .failure: counts.refused += 1
        case .success(let comparison):
            let judge = PathJudge(self, comparison)
            judge.judge(&counts)
        }
        return counts
    }
}

private let showsAll = false
private struct PathJudge {
    let path: PathWorld
    let comparison: PathComparison
    /// For each world and point, packets that passed, captured or not.
    let passed: [[Set<Int>]]
    let captured: [[Set<Int>]]

    init(_ path: PathWorld, _ comparison: PathComparison) {
        self.path = path
        self.comparison = comparison
        passed = path.worlds.map { world in
            path.points.map { Set(PathWorld.passing($0.place, world).map(\.packet)) }
        }
        captured = path.worlds.indices.map { number in
            path.points.map { point in Set(point.frames.filter { $0.world == number }.map(\.packet)) }
        }
    }

    func judge(_ counts: inout PathVerdictCounts) {
        if comparison.order.points != Array(path.points.indices) {
            counts.wrong.append("order \(comparison.order.points), by \(comparison.order.basis)")
        }
        var joined: Set<[Int]> = []
        for place in 0..<comparison.count {
            let verdict = comparison.verdict(place)
            guard verdict.points == Array(path.points.indices) else {
                counts.wrong.append("attempt \(place) is taken to go the other way")
                continue
            }
            let before = counts.wrong.count
            for packet in verdict.packets { judge(packet, verdict, &joined, &counts) }
            judgeChanges(verdict, &counts)
            if counts.wrong.count > before || showsAll {
                counts.listings.append(listing(verdict, counts.wrong[before...]))
            }
        }
        judgeClocks(&counts)
        countUnmatched(joined, &counts)
    }

    /// What the points have of an attempt, for whoever looks for a mistake.
    private func listing(_ verdict: PathVerdict, _ wrong: ArraySlice<String>) -> String {
        var lines = wrong.map { "WRONG \($0)" }
        let number = worldOf(verdict)
        let world = path.worlds[number]
        lines.append(
            "world \(world.seed) \(world.serverKind) \(world.clientKind) \(world.trait?.rawValue ?? "") box \(path.box)"
        )
        for (position, point) in path.points.enumerated() {
            let attempt = verdict.attempts[position]
            lines.append(
                "\(point.place) loss \(point.captureLoss) span \(point.span) "
                    + "\(attempt?.outcome.rawValue ?? "no attempt") "
                    + "x \(attempt?.clientISN ?? 0) y \(attempt?.serverISN ?? 0)")
            for (index, frame) in point.frames.enumerated() where frame.world == number {
                let sent = world.packets[frame.packet]
                lines.append(
                    "  frame \(index + 1) at \(frame.trueTime % 1_000_000_000_000) packet \(frame.packet) "
                        + "\(sent.meaning) \(sent.letters) \(sent.seq) \(sent.ack) len \(sent.length) ts "
                        + "\(sent.timestamps?.value ?? 0) id \(sent.identification)")
            }
        }
        for packet in verdict.packets {
            let frames = packet.seen.map { $0.map { "\($0.frame)" } ?? "-" }.joined(separator: " ")
            lines.append(
                "  \(packet.kind) \(packet.fromClient) frames \(frames) \(packet.fate) not at \(packet.notCapturedAt) "
                    + "made \(packet.madeBetween.map { "\($0)" } ?? "no") several \(packet.isOneOfSeveral)")
        }
        return lines.joined(separator: "\n")
    }

    private func frame(_ position: Int, _ segment: PointSegment) -> PathWorld.Frame {
        path.points[position].frames[Int(segment.frame) - 1]
    }

    private func judge(
        _ packet: PathPacket, _ verdict: PathVerdict, _ joined: inout Set<[Int]>, _ counts: inout PathVerdictCounts
    ) {
        let frames = packet.seen.enumerated().compactMap { position, segment in
            segment.map { (position, frame(position, $0)) }
        }
        guard let (_, first) = frames.first else { return }
        for (position, frame) in frames.dropFirst() {
            if (frame.world, frame.packet) != (first.world, first.packet) {
                counts.falseMatches += 1
                counts.wrong.append("frames of packets \(first.packet) and \(frame.packet) are taken for one")
            } else {
                for (earlier, _) in frames where earlier < position {
                    joined.insert([frame.world, frame.packet, earlier, position])
                }
            }
        }
        let truth = path.worlds[first.world].packets[first.packet]
        func isHere(_ position: Int) -> Bool { passed[first.world][position].contains(first.packet) }
        let what = "packet \(first.packet) of world \(path.worlds[first.world].seed) (\(truth.meaning))"
        let world = path.worlds[first.world]
        func passes(_ position: Int) -> Int {
            PathWorld.passing(path.points[position].place, world).count { $0.packet == first.packet }
        }
        switch packet.fate {
        case .arrived, .notCovered: break
        case .lostOrNotCaptured: counts.saidUnclear += 1
        case .lost(let stretch):
            counts.saidLost += 1
            let mayBeBehind = comparison.losesFrames(verdict.points[stretch.to])
            // The network may have doubled the packet, and lost one of the two.
            if passes(stretch.to) < passes(stretch.from) { break }
            let arrivals = path.points[stretch.to].frames.filter {
                ($0.world, $0.packet) == (first.world, first.packet)
            }
            let end = verdict.attempts[stretch.to].flatMap {
                comparison.points[verdict.points[stretch.to]].log.segments(of: $0).last?.time
            }
            if let end, let came = arrivals.map(\.time).min(), came > end {
                counts.heldBack += 1
            } else if isHere(stretch.to), path.points[stretch.to].captureLoss > 0 {
                // The capture lost it without a word, and the network the answer.
                counts.doubleFaults += 1
            } else if isHere(stretch.to), !mayBeBehind || truth.arrivedAt != nil {
                counts.wrong.append("\(what) is said to be lost before \(path.points[stretch.to].place), and came by")
            }
        }
        for position in packet.notCapturedAt {
            counts.notCaptured += 1
            // The network may have doubled the packet, and the capture may lack one of the two.
            let count = path.points[position].frames.count { ($0.world, $0.packet) == (first.world, first.packet) }
            if count > 0, count >= passes(position) {
                counts.wrong.append("\(what) is said not to be captured at \(path.points[position].place), and was")
            }
            if !isHere(position) {
                counts.wrong.append("\(what) is said to have passed \(path.points[position].place), and did not")
            }
        }
        if let stretch = packet.madeBetween, isHere(stretch.from),
            captured[first.world][stretch.from].contains(first.packet)
        {
            counts.wrong.append(
                "\(what) is said to be made behind \(path.points[stretch.from].place), which captured it")
        }
        countLoss(truth, first, &counts)
    }

    /// Packets that were lost between two points.
    private func countLoss(_ truth: Sent, _ frame: PathWorld.Frame, _ counts: inout PathVerdictCounts) {
        let way = truth.fromClient ? Array(path.points.indices) : path.points.indices.reversed()
        for (from, to) in zip(way, way.dropFirst())
        where captured[frame.world][from].contains(truth.index) && !passed[frame.world][to].contains(truth.index) {
            counts.lost += 1
        }
    }

    /// What the box does is named, and nothing else.
    private func judgeChanges(_ verdict: PathVerdict, _ counts: inout PathVerdictCounts) {
        let allowed: Set<PathField> =
            switch path.box {
            case .none: []
            case .sourceTranslation: [.clientAddress, .clientPort]
            case .destinationTranslation: [.serverAddress, .serverPort]
            case .bothTranslations: [.clientAddress, .clientPort, .serverAddress, .serverPort]
            case .sequenceNumbers: [.clientISN]
            case .sequenceNumbersAndSource: [.clientISN, .clientAddress, .clientPort]
            case .timestamps: [.timestampValues]
            case .windowScale: [.windowScale, .options]
            case .sack: [.sackPermitted, .options]
            case .dscp: [.dscp]
            case .serverNumbers: [.serverISN]
            }
        let isClamped = verdict.packets.contains { packet in
            packet.seen.contains { segment in
                guard let segment else { return false }
                return path.worlds[path.points[0].frames.isEmpty ? 0 : worldOf(verdict)].clamp != nil
                    && segment.mss != nil
            }
        }
        for change in verdict.changes where !allowed.contains(change.field) {
            if change.field == .mss, isClamped { continue }
            counts.wrong.append("\(change.field.rawValue) \(change.from) to \(change.to) was invented")
        }
        if verdict.proxiedIn != nil { counts.wrong.append("a proxy was invented") }
        guard verdict.count == verdict.points.count else { return }
        // The box stands between two of the points.
        let sides = Set(path.points.map { $0.place == .client ? 0 : $0.place == .server ? 2 : 1 })
        let isCrossed =
            sides.contains(0) && (path.boxIsNearClient ? sides.count > 1 : sides.contains(2))
            || !path.boxIsNearClient && sides.contains(1) && sides.contains(2)
        let hasSYN = verdict.packets.contains { $0.kind == .syn && $0.fromClient && $0.seen.allSatisfy { $0 != nil } }
        let hasAnswers = verdict.attempts.allSatisfy { $0?.serverISN != nil }
        for field in allowed where isCrossed && hasSYN && field != .timestampValues {
            if field == .serverISN, !hasAnswers { continue }
            if !verdict.changes.contains(where: { $0.field == field }) {
                counts.wrong.append("\(field.rawValue) was changed, and is not named")
            }
        }
    }

    private func worldOf(_ verdict: PathVerdict) -> Int {
        for packet in verdict.packets {
            if let position = packet.seen.firstIndex(where: { $0 != nil }), let segment = packet.seen[position] {
                return frame(position, segment).world
            }
        }
        return 0
    }

    /// Whether two points captured different ones of two that the network made of a packet, so that it seems to have
    /// arrived before it left.
    private func mixesCopies(_ one: Int, _ other: Int) -> Bool {
        guard path.points[one].captureLoss > 0 || path.points[other].captureLoss > 0 else { return false }
        for place in 0..<comparison.count {
            for packet in comparison.verdict(place).packets {
                guard let near = packet.seen[one], let far = packet.seen[other] else { continue }
                let way = frame(other, far).trueTime - frame(one, near).trueTime
                if packet.fromClient ? way < 0 : way > 0 { return true }
            }
        }
        return false
    }

    private func judgeClocks(_ counts: inout PathVerdictCounts) {
        // A step among few handshakes may pass for a skew.
        if path.points.contains(where: { $0.step != nil }) { return }
        for one in path.points.indices {
            for other in path.points.indices where other > one {
                for piece in comparison.clock(one, other)?.pieces ?? [] where piece.isBounded {
                    for time in [piece.span.lowerBound, piece.span.upperBound] {
                        guard let band = piece.band(at: time),
                            let moment = path.points[one].frames.first(where: { $0.time == time && $0.world >= 0 })?
                                .trueTime
                        else { continue }
                        counts.bands += 1
                        let offset = path.points[other].clock(moment) - path.points[one].clock(moment)
                        // Both clocks count units.
                        let slack = max(path.points[one].tick, path.points[other].tick) > 1 ? Int64(2000) : 1
                        if band.lowerBound - slack...band.upperBound + slack ~= offset { continue }
                        if mixesCopies(one, other) {
                            counts.mixedCopies += 1
                        } else {
                            counts.wrong.append(
                                "the offset \(offset) of \(path.points[other].place) is outside \(band)")
                        }
                    }
                }
            }
        }
    }

    /// Segments of handshakes that two points captured and that are in no match, equal copies left out.
    private func countUnmatched(_ joined: Set<[Int]>, _ counts: inout PathVerdictCounts) {
        let inRecords = comparison.points.enumerated().map { position, point in
            Set(
                point.log.segments.map { segment in
                    let frame = frame(position, segment)
                    return [frame.world, frame.packet]
                })
        }
        for (number, world) in path.worlds.enumerated() {
            for (one, other) in zip(path.points.indices, path.points.indices.dropFirst()) {
                for index in captured[number][one].intersection(captured[number][other]) {
                    let sent = world.packets[index]
                    guard sent.meaning == .syn || sent.meaning == .synAck || sent.meaning == .finalAck else { continue }
                    let hasEqual = world.packets.contains {
                        $0.index != index && $0.fromClient == sent.fromClient && $0.letters == sent.letters
                            && $0.seq == sent.seq && $0.ack == sent.ack && $0.length == sent.length
                            && $0.timestamps?.value == sent.timestamps?.value
                    }
                    if hasEqual { continue }
                    // A record has no ACK that came after data had completed its attempt.
                    guard inRecords[one].contains([number, index]), inRecords[other].contains([number, index]) else {
                        continue
                    }
                    counts.seenTwice += 1
                    if joined.contains([number, index, one, other]) {
                        counts.matched += 1
                    } else {
                        counts.notMatchedExamples.append("packet \(index) of world \(world.seed)")
                        counts.unmatched["\(sent.meaning), box \(path.box)", default: 0] += 1
                    }
                }
            }
        }
    }
}
