import HandshakeRecord
import PacketWire

extension PathComparison {
    /// What all points together say of a connection attempt.
    /// - Parameter place: from 0 on, below `count`.
    package func verdict(_ place: Int) -> PathVerdict { verdict(of: place, among: direction(of: place)) }

    /// - Parameters:
    ///   - path: the points to look at, from the client to the server.
    ///   - usesClocks: whether impossible delays rule copies out.
    func verdict(of place: Int, among path: [Int], usesClocks: Bool = true) -> PathVerdict {
        let members = path.map { member($0, of: place) }
        let attempts = zip(path, members).map { point, member in member.map { points[point].log.attempts[$0] } }
        var verdict = PathVerdict(points: path, members: members, attempts: attempts)
        findProxy(&verdict)
        follow(&verdict, usesClocks: usesClocks)
        guard usesClocks else { return verdict }
        for packet in verdict.packets.indices { judge(packet, &verdict) }
        compareFields(&verdict)
        placeFindings(&verdict)
        return verdict
    }

    /// Nanoseconds that a packet took from the first point that captured it to the last, as bounds; nil where
    /// one point did, or nothing is known of the clocks.
    package func delay(of packet: PathPacket, _ verdict: PathVerdict) -> ClosedRange<Int64>? {
        guard let low = packet.seen.firstIndex(where: { $0 != nil }),
            let high = packet.seen.lastIndex(where: { $0 != nil }),
            low != high, let near = packet.seen[low], let far = packet.seen[high]
        else { return nil }
        let (from, sent, to, came) =
            packet.fromClient ? (low, near.time, high, far.time) : (high, far.time, low, near.time)
        return time(sent, of: verdict.points[from], at: verdict.points[to]).map {
            came - $0.upperBound...came - $0.lowerBound
        }
    }

    // MARK: Packets

    private func follow(_ verdict: inout PathVerdict, usesClocks: Bool) {
        let path = verdict.points
        var matcher = PacketMatcher(
            numbers: zip(verdict.attempts, serverISNs(verdict)).map { ($0?.clientISN ?? 0, $1) },
            keepsTimestamps: { keepsTimestamps(path[$0], path[$1]) },
            keepsIdentifications: { keepsIdentifications(path[$0], path[$1]) })
        if usesClocks {
            let hasCopies = mayHaveCopies(verdict)
            matcher.fit = { earlier, first, later, second in
                fit(path[earlier], first, path[later], second, hasCopies && first.kind == .synAck)
            }
        }
        for (position, attempt) in verdict.attempts.enumerated() {
            guard let attempt else { continue }
            matcher.add(
                points[path[position]].log.segments(of: attempt), of: position, within: verdict.side(of: position),
                to: &verdict.packets)
        }
    }

    /// Nanoseconds: stacks send a segment again no sooner. RFC 6298 2.4 asks for a second, Linux takes 200 ms for data.
    private static let shortestCopyGap: Int64 = 200_000_000
    private static let usualCopyGap: Int64 = 900_000_000

    /// Whether a packet can have passed one point, nearer to the client, and the other at these times.
    /// - Parameter hasCopies: whether copies of it may be close together.
    private func fit(
        _ near: Int, _ first: PointSegment, _ far: Int, _ second: PointSegment, _ hasCopies: Bool
    ) -> PacketMatcher.Fit {
        let isFromNear = first.fromClient
        let (from, sent, to, came) =
            isFromNear ? (near, first.time, far, second.lastTime) : (far, second.time, near, first.lastTime)
        guard let there = time(sent, of: from, at: to) else {
            return isIdentified(first, second, near, far) ? .same : .doubtful
        }
        // Near a step either band may hold: times rule out no packet that says itself which it is.
        if (clock(near, far)?.pieces.count ?? 0) > 1, isIdentified(first, second, near, far) { return .same }
        // Both clocks count units.
        if came < there.lowerBound - 2 * max(points[from].tick, points[to].tick) { return .other }
        if isIdentified(first, second, near, far) { return .same }
        // A packet that took as long may be a copy of the one that the first point captured.
        let isQuick =
            !hasCopies && came - there.upperBound < PathComparison.shortestCopyGap
            && came - there.lowerBound < PathComparison.usualCopyGap
        return isQuick ? .same : .doubtful
    }

    /// Each point's y. If SYN-ACKs have several, each record took one: points with a common one have the same.
    private func serverISNs(_ verdict: PathVerdict) -> [UInt32?] {
        var isns = verdict.attempts.map { $0?.serverISN }
        guard Set(isns.compactMap(\.self)).count > 1 else { return isns }
        let answered = zip(verdict.points, verdict.attempts).map { point, attempt in
            let segments = (attempt.map { points[point].log.segments(of: $0) } ?? []).filter { !$0.fromClient }
            // A server that gives up sends a RST with y+1.
            return Set(segments.filter { $0.kind == .synAck }.map(\.seq))
                .union(segments.filter { $0.kind == .rst && !$0.flags.contains(.ack) }.map { $0.seq &- 1 })
        }
        for position in isns.indices.dropFirst() where isns[position] != nil {
            let before = isns[..<position].indices.last {
                isns[$0] != nil && !answered[$0].isDisjoint(with: answered[position])
            }
            if let before { isns[position] = isns[before] }
        }
        return isns
    }

    /// Finds where one handshake ends and another begins: where the points have different y, and nothing shows that a
    /// box rewrites it.
    private func findProxy(_ verdict: inout PathVerdict) {
        let present = verdict.attempts.indices.filter { verdict.attempts[$0] != nil }
        let isns = serverISNs(verdict)
        for (near, far) in zip(present, present.dropFirst()) {
            guard let y = isns[near], let z = isns[far], y != z else { continue }
            let answer = areTwoHandshakes(near, far, verdict)
            if answer == false { continue }
            verdict.splitIn = Stretch(from: near, to: far)
            verdict.isProxied = answer == true
            return
        }
    }

    /// Whether the handshakes at two points are two, of which the points have different y; nil where nothing tells.
    private func areTwoHandshakes(_ near: Int, _ far: Int, _ verdict: PathVerdict) -> Bool? {
        let (one, other) = (verdict.attempts[near]!, verdict.attempts[far]!)
        let points = (verdict.points[near], verdict.points[far])
        let segments = (
            self.points[points.0].log.segments(of: one), self.points[points.1].log.segments(of: other)
        )
        func isAnswer(_ segment: PointSegment) -> Bool { segment.kind == .synAck && !segment.fromClient }
        let answers = (segments.0.filter(isAnswer), segments.1.filter(isAnswer))
        let (a, b) = (answers.0.first, answers.1.first)
        let opening = segments.0.filter { $0.kind == .syn && $0.fromClient }
        let behind = segments.1.filter { $0.kind == .syn && $0.fromClient }
        // A proxy makes a SYN and a SYN-ACK anew.
        if opening.contains(where: { syn in behind.contains { $0.isMarked(as: syn) } }) { return false }
        if answers.0.contains(where: { a in answers.1.contains { $0.isMarked(as: a) } }) { return false }
        // A SYN-ACK that passes both is answered sooner at the point that is nearer to the server.
        if one.synToSynAck >= 0, other.synToSynAck > one.synToSynAck { return true }
        // A proxy opens the window only once the server has answered.
        if let a, let b, a.window == 0, b.window != 0 { return true }
        // The SYN behind the proxy knows what came after the SYN before it: the TSval of the proxy's SYN-ACK, or that
        // of the client's ACK.
        let later = segments.0.filter { $0.kind != .syn && $0.fromClient && $0.hasTimestamps }
        let isMadeLater = behind.contains { syn in
            guard syn.tsval != 0 else { return false }
            return syn.tsecr != 0 && (syn.tsecr == a?.tsval || later.contains { $0.tsecr == syn.tsecr })
                || later.contains { $0.tsval == syn.tsval } && !opening.contains { $0.tsval == syn.tsval }
        }
        if isMadeLater { return true }
        // Of several copies each point may lack those that the other has.
        guard let a, let b, one.startsAtSYN, other.startsAtSYN, answers.0.count == 1, answers.1.count == 1 else {
            return nil
        }
        // By the clocks, the client had its answer before the server gave one.
        if let there = time(a.time, of: points.0, at: points.1), there.upperBound < b.time { return true }
        let keeps = keepsTimestamps(points.0, points.1)
        return keeps && a.hasTimestamps && b.hasTimestamps && a.tsval != b.tsval ? true : nil
    }

    /// Whether a proxy between two points may answer for the server of an attempt, as other attempts show.
    func mayBeProxied(_ attempt: PointAttempt, between one: Int, _ other: Int) -> Bool {
        proxied[Stretch.pair(one, other)]?.contains(attempt.server) ?? false
    }

    // MARK: Fates

    /// Says what became of a packet.
    private func judge(_ place: Int, _ verdict: inout PathVerdict) {
        let packet = verdict.packets[place]
        guard !packet.isOneOfSeveral else { return }
        let way = packet.way
        let last = way.count - 1
        guard let begin = way.firstIndex(where: { packet.seen[$0] != nil }),
            let end = way.lastIndex(where: { packet.seen[$0] != nil })
        else { return }
        for step in way[begin...end] where packet.seen[step] == nil && covers(step, packet, verdict) {
            if verdict.attempts[step] == nil,
                mayBeUnrecognised(
                    verdict.attempts[way[begin]]!, of: verdict.points[way[begin]], at: verdict.points[step])
            {
                continue
            }
            verdict.packets[place].notCapturedAt.append(step)
        }
        if begin > 0 { judgeOrigin(place, way, begin, &verdict) }
        guard end < last else { return }
        let stretch = Stretch(from: way[end], to: way[end + 1])
        if !covers(stretch.to, packet, verdict) {
            verdict.packets[place].fate = .notCovered(stretch)
        } else {
            let mayBeUnrecognised =
                verdict.attempts[stretch.to] == nil
                && mayBeUnrecognised(
                    verdict.attempts[stretch.from]!, of: verdict.points[stretch.from], at: verdict.points[stretch.to])
            switch mayBeUnrecognised ? nil : wasReceived(place, verdict, beyond: stretch) {
            // Only this point is asked, not those behind it.
            case true?: verdict.packets[place].notCapturedAt.append(stretch.to)
            case false?: verdict.packets[place].fate = .lost(stretch)
            case nil: verdict.packets[place].fate = .lostOrNotCaptured(stretch)
            }
        }
    }

    /// A packet that no point nearer to its sender has: it was not captured there, or made behind it.
    private func judgeOrigin(_ place: Int, _ way: [Int], _ begin: Int, _ verdict: inout PathVerdict) {
        let packet = verdict.packets[place]
        let before = way[begin - 1]
        guard covers(before, packet, verdict) else { return }
        let mayBeMade = packet.kind == .rst || packet.kind == .icmp || packet.kind == .synAck && !packet.fromClient
        if mayBeMade {
            // Without the attempt there, it may have been made on this side or on the other.
            // So may a copy of a SYN-ACK that is there: the network doubled it, or the capture there lacks one.
            let isCopy = verdict.packets.contains { other in
                packet.kind == .synAck && other.kind == .synAck && other.seen[before] != nil
                    && other.seen[way[begin]]?.seq == packet.seen[way[begin]]?.seq
            }
            // And what the point nearer to the sender lacks may have been answered before its record began.
            let isAnswerToUnseen = verdict.packets.contains { other in
                other.kind == .syn && other.fromClient != packet.fromClient && other.seen[before] == nil
                    && other.precedes(packet) != false
            }
            if verdict.attempts[before] != nil, !isCopy, !isAnswerToUnseen {
                verdict.packets[place].madeBetween = Stretch(from: before, to: way[begin])
            }
        } else {
            let near = verdict.points[way[begin]]
            for step in way[..<begin] where covers(step, packet, verdict) {
                let isThere = verdict.attempts[step] != nil
                if isThere || !mayBeUnrecognised(verdict.attempts[way[begin]]!, of: near, at: verdict.points[step]) {
                    verdict.packets[place].notCapturedAt.append(step)
                }
            }
        }
    }

    /// Whether a point's capture would have a packet that passed it: it was running, captures that direction and that
    /// kind, and attempts at that server pass it.
    private func covers(_ position: Int, _ packet: PathPacket, _ verdict: PathVerdict) -> Bool {
        let point = verdict.points[position]
        let capture = points[point]
        if capture.has(.filtered), !(packet.first?.flags.contains(.syn) ?? false) { return false }
        if capture.has(.oneDirection) {
            let segments = verdict.attempts[position].map { capture.log.segments(of: $0) }
            if !(segments?.contains { $0.fromClient == packet.fromClient } ?? false) { return false }
        }
        if packet.kind == .icmp, verdict.attempts[position] == nil { return false }
        // Segments of one attempt in the middle of the log are not kept.
        if let attempt = verdict.attempts[position] {
            if attempt.segmentsOmitted > 0 { return false }
        } else {
            let isKnown = verdict.attempts.indices.contains { other in
                guard let attempt = verdict.attempts[other] else { return false }
                return isServerShared(attempt.server.address, verdict.points[other], point)
            }
            guard isKnown else { return false }
            // The proxy opens no connection to the server for a client that did not answer it.
            let isBehindProxy = verdict.attempts.indices.contains { other in
                guard let attempt = verdict.attempts[other] else { return false }
                return mayBeProxied(attempt, between: verdict.points[other], point)
            }
            if isBehindProxy { return false }
        }
        if isCapturedElsewhere(position, packet, verdict) || hasUnknownNumbers(position, packet, verdict) {
            return false
        }
        guard let span = capture.summary.span, let other = packet.seen.indices.last(where: { packet.seen[$0] != nil }),
            let segment = packet.seen[other]
        else { return false }
        let source = verdict.points[other]
        let here = time(segment.time, of: source, at: point).flatMap { first in
            time(segment.lastTime, of: source, at: point).map { first.lowerBound...$0.upperBound }
        }
        // A record begins with its first segment. Of those before a SYN it has none.
        if packet.kind != .syn, let attempt = verdict.attempts[position],
            let first = capture.log.segments(of: attempt).first
        {
            guard let here, here.lowerBound > first.time else { return false }
        }
        // Of segments without SYN a completed attempt's record has only what completed it. One that came before that
        // would have.
        if let attempt = verdict.attempts[position], attempt.completedBy != nil,
            packet.kind != .syn, packet.kind != .synAck
        {
            let completing = capture.log.segments(of: attempt).first {
                $0.fromClient && [.ack, .data, .fin].contains($0.kind)
            }
            guard packet.fromClient, [.ack, .data, .fin].contains(packet.kind), let here, let completing else {
                return false
            }
            // It was on its way for a while, and what was sent later may have come sooner. The bounds of its time are
            // as far apart as the least delays of both ways.
            let delay = max(PathComparison.shortestCopyGap, 2 * longestLeg(verdict), here.upperBound - here.lowerBound)
            return here.lowerBound >= span.lowerBound && here.upperBound + delay < completing.time
        }
        // Once an attempt is decided, its later segments are no part of its record.
        if let attempt = verdict.attempts[position], attempt.isClosedByEvidence {
            guard let here, let last = capture.log.segments(of: attempt).last, here.upperBound < last.time else {
                return false
            }
        }
        guard let here else { return true }
        return here.lowerBound >= span.lowerBound && here.upperBound <= span.upperBound
    }

    /// Whether a point may have a packet with numbers that are not recognised: a box on the way rewrites y, and one of
    /// the two points does not know it, or the packet is of a connection before this one.
    private func hasUnknownNumbers(_ position: Int, _ packet: PathPacket, _ verdict: PathVerdict) -> Bool {
        guard packet.kind != .syn, packet.kind != .synAck, let home = packet.seen.lastIndex(where: { $0 != nil }),
            let segment = packet.seen[home], !keepsServerISNs(verdict.points[home], verdict.points[position])
        else { return false }
        guard let y = verdict.attempts[home]?.serverISN, verdict.attempts[position]?.serverISN != nil else {
            return true
        }
        return (segment.fromClient ? segment.ack : segment.seq) &- y > 1 << 20
    }

    /// Nanoseconds from a SYN to its answer, at the point where that took longest. If that is not known, from the
    /// first SYN to the first SYN-ACK.
    private func longestLeg(_ verdict: PathVerdict) -> Int64 {
        zip(verdict.points, verdict.attempts).compactMap { point, attempt -> Int64? in
            guard let attempt else { return nil }
            if attempt.synToSynAck >= 0 { return attempt.synToSynAck }
            let segments = points[point].log.segments(of: attempt)
            guard let syn = segments.first(where: { $0.kind == .syn && $0.fromClient }),
                let answer = segments.first(where: { $0.kind == .synAck && !$0.fromClient })
            else { return nil }
            return answer.time - syn.time
        }.max() ?? 0
    }

    /// Whether a point has a packet in another attempt: ends that are used again with another ISN have several.
    private func isCapturedElsewhere(_ position: Int, _ packet: PathPacket, _ verdict: PathVerdict) -> Bool {
        guard let other = packet.seen.firstIndex(where: { $0 != nil }), let segment = packet.seen[other],
            let home = verdict.attempts[other]
        else { return false }
        let point = verdict.points[position]
        let isOpening = packet.kind == .syn || packet.kind == .synAck
        guard let attempt = verdict.attempts[position] else {
            // Without SYN and SYN-ACK there is no record.
            if !isOpening { return true }
            // The ends behind a translator are not known: those of this point say if there is another attempt.
            guard keepsEnds(verdict.points[other], point) else {
                return hasOtherAttempt(of: home, at: verdict.points[other])
            }
            return isInOtherAttempt(segment, of: home, at: point, shift: (0, 0))
        }
        // Segments without SYN of an attempt that is over are in no record.
        if !isOpening { return hasOtherAttempt(of: attempt, at: point) }
        let y = home.serverISN.flatMap { own in attempt.serverISN.map { $0 &- own } } ?? 0
        return isInOtherAttempt(segment, of: attempt, at: point, shift: (attempt.clientISN &- home.clientISN, y))
    }

    /// Whether the receiver of a packet got it, as later packets prove; nil where nothing does.
    /// - Parameter stretch: at whose second point it was not captured.
    private func wasReceived(_ place: Int, _ verdict: PathVerdict, beyond stretch: Stretch) -> Bool? {
        let packet = verdict.packets[place]
        let others = verdict.packets.indices.filter { $0 != place && verdict.packets[$0].side == packet.side }
            .map { verdict.packets[$0] }
        let isOpening = packet.kind == .syn || packet.kind == .synAck
        if isOpening {
            let copies = others.filter { $0.kind == packet.kind && $0.fromClient == packet.fromClient }
            let answers = others.filter { packet.isAnswered(by: $0, verdict) }
            return PathComparison.wasReceived(packet, copies, answers, at: stretch.to)
        }
        guard packet.fromClient, packet.kind != .rst, packet.kind != .icmp else { return nil }
        // The final ACK, and what follows it.
        let acknowledging = others.filter { $0.fromClient && [.ack, .data, .fin].contains($0.kind) }
        let proofs = others.filter { !$0.fromClient && [.data, .fin].contains($0.kind) }
        let isProven = proofs.contains { proof in
            packet.precedes(proof) == true && acknowledging.allSatisfy { $0.precedes(proof) == false }
        }
        if isProven { return true }
        let repeated = others.contains { answer in
            guard answer.kind == .synAck, !answer.fromClient, let gap = packet.gap(to: answer) else { return false }
            return gap > max(PathComparison.shortestCopyGap, 2 * longestLeg(verdict))
                && acknowledging.allSatisfy { $0.precedes(answer) != true }
        }
        return repeated ? false : nil
    }

    /// Whether a SYN or SYN-ACK was received.
    /// - Parameters:
    ///   - copies: the other packets of its kind.
    ///   - answers: packets that acknowledge it, or one of its copies.
    ///   - point: the position at which it is missing.
    private static func wasReceived(
        _ packet: PathPacket, _ copies: [PathPacket], _ answers: [PathPacket], at point: Int
    ) -> Bool? {
        let isCapturedThere = copies.contains { $0.seen[point] != nil }
        // Copies that arrived had no answer either, so none says nothing. And one that no capture has is no proof.
        if answers.isEmpty { return isCapturedThere || copies.count < 2 ? nil : false }
        // What answers on this side of the point may stand on this side.
        let there = answers.filter { $0.seen[point] != nil }
        if let tsval = packet.last?.tsval, tsval != 0, copies.allSatisfy({ $0.last?.tsval != tsval }) {
            let echoes = there.filter { $0.kind != .rst }.compactMap { $0.last?.tsecr }
            if echoes.contains(tsval) { return true }
        }
        let isOnlyCause = there.contains { answer in
            // A client's RST may answer a challenge just as well.
            !(answer.kind == .rst && answer.fromClient) && packet.precedes(answer) == true
                && answer.echoes(packet) != false
                && copies.allSatisfy { $0.precedes(answer) == false && !$0.isDoubled }
        }
        if isOnlyCause { return true }
        // Where it is missing, a later copy came by before any answer.
        let isRepeated = copies.contains { copy in
            guard let came = copy.seen[point], packet.precedes(copy) == true else { return false }
            return there.allSatisfy { $0.seen[point].map { came.time < $0.time } ?? false }
                && answers.allSatisfy { packet.precedes($0) != true || $0.precedes(copy) != true }
        }
        return isRepeated ? false : nil
    }

    // MARK: Fields

    private func compareFields(_ verdict: inout PathVerdict) {
        let present = verdict.attempts.indices.filter { verdict.attempts[$0] != nil }
        for (near, far) in zip(present, present.dropFirst()) {
            compareEnds(near, far, &verdict)
            for kind in [SegmentRecord.Kind.syn, .synAck] {
                let packet = verdict.packets.first {
                    $0.kind == kind && $0.fromClient == (kind == .syn) && $0.seen[near] != nil && $0.seen[far] != nil
                }
                guard let packet, let one = packet.seen[near], let other = packet.seen[far] else { continue }
                let stretch = kind == .syn ? Stretch(from: near, to: far) : Stretch(from: far, to: near)
                if kind == .syn, one.hopLimit >= other.hopLimit {
                    verdict.hops[stretch] = Int(one.hopLimit - other.hopLimit)
                }
                let (before, after) = kind == .syn ? (one, other) : (other, one)
                compareSegments(kind, stretch, before, after, &verdict)
            }
        }
    }

    private func compareEnds(_ near: Int, _ far: Int, _ verdict: inout PathVerdict) {
        let (one, other) = (verdict.attempts[near]!, verdict.attempts[far]!)
        let stretch = Stretch(from: near, to: far)
        let frames = [one.id, other.id]
        func compare<Value: Equatable>(_ field: PathField, _ from: Value, _ to: Value) {
            if from != to {
                verdict.changes.append(
                    PathChange(
                        field: field, stretch: stretch, kind: nil, from: "\(from)", to: "\(to)", frames: frames))
            }
        }
        compare(.clientAddress, one.client.address, other.client.address)
        compare(.clientPort, one.client.port, other.client.port)
        compare(.serverAddress, one.server.address, other.server.address)
        compare(.serverPort, one.server.port, other.server.port)
        // A proxy's connection has numbers of its own: nothing rewrote them.
        if verdict.proxiedIn == stretch { return }
        compare(.clientISN, one.clientISN, other.clientISN)
        let isns = serverISNs(verdict)
        if let y = isns[near], let z = isns[far] { compare(.serverISN, y, z) }
    }

    private func compareSegments(
        _ kind: SegmentRecord.Kind, _ stretch: Stretch, _ before: PointSegment, _ after: PointSegment,
        _ verdict: inout PathVerdict
    ) {
        func add(_ field: PathField, _ from: String, _ to: String) {
            verdict.changes.append(
                PathChange(
                    field: field, stretch: stretch, kind: kind, from: from, to: to, frames: [before.frame, after.frame])
            )
        }
        func text<Value>(_ value: Value?) -> String { value.map { "\($0)" } ?? "absent" }
        let lists = (
            points[verdict.points[stretch.from]].log.optionLists[Int(before.options)],
            points[verdict.points[stretch.to]].log.optionLists[Int(after.options)]
        )
        // Options that the snaplen cut are unknown, not absent.
        if before.options != 0, after.options != 0 {
            if before.mss != after.mss { add(.mss, text(before.mss), text(after.mss)) }
            if before.windowScale != after.windowScale {
                add(.windowScale, text(before.windowScale), text(after.windowScale))
            }
            if before.sackPermitted != after.sackPermitted {
                add(
                    .sackPermitted, before.sackPermitted ? "present" : "absent",
                    after.sackPermitted ? "present" : "absent")
            }
            if before.hasTimestamps != after.hasTimestamps {
                add(
                    .timestamps, before.hasTimestamps ? "present" : "absent", after.hasTimestamps ? "present" : "absent"
                )
            }
            if lists.0 != lists.1 { add(.options, PathComparison.text(lists.0), PathComparison.text(lists.1)) }
        }
        if before.hasTimestamps, after.hasTimestamps, (before.tsval, before.tsecr) != (after.tsval, after.tsecr) {
            add(.timestampValues, "\(before.tsval)/\(before.tsecr)", "\(after.tsval)/\(after.tsecr)")
        }
        if before.window != after.window { add(.window, "\(before.window)", "\(after.window)") }
        if before.trafficClass >> 2 != after.trafficClass >> 2 {
            add(.dscp, "\(before.trafficClass >> 2)", "\(after.trafficClass >> 2)")
        }
        if before.trafficClass & 3 != after.trafficClass & 3 {
            add(.ecn, "\(before.trafficClass & 3)", "\(after.trafficClass & 3)")
        }
        let flags = (before.flags.intersection([.ece, .cwr]), after.flags.intersection([.ece, .cwr]))
        if flags.0 != flags.1 { add(.ecnFlags, PathComparison.text(flags.0), PathComparison.text(flags.1)) }
    }

    private static func text(_ kinds: [UInt8]) -> String {
        kinds.isEmpty ? "none" : kinds.map(String.init).joined(separator: "-")
    }

    private static func text(_ flags: TCPFlags) -> String {
        let names = [(TCPFlags.ece, "ECE"), (.cwr, "CWR")].filter { flags.contains($0.0) }.map(\.1)
        return names.isEmpty ? "none" : names.joined(separator: " and ")
    }
}

extension PathPacket {
    /// Whether it passed before another one; nil where no point captured both.
    func precedes(_ other: PathPacket) -> Bool? { gap(to: other).map { $0 > 0 } }

    /// Nanoseconds from it to another one, at the point nearest to its receiver that captured both.
    func gap(to other: PathPacket) -> Int64? {
        for position in way.reversed() {
            if let own = seen[position], let others = other.seen[position] { return others.time - own.time }
        }
        return nil
    }

    /// Whether its TSecr names another packet; nil where no point has timestamps of both.
    func echoes(_ other: PathPacket) -> Bool? {
        for (own, others) in zip(seen, other.seen) {
            if let own, let others, own.tsecr != 0, others.tsval != 0 { return own.tsecr == others.tsval }
        }
        return nil
    }

    /// Whether another packet answers a SYN or SYN-ACK of this attempt: it acknowledges what that begins.
    func isAnswered(by other: PathPacket, _ verdict: PathVerdict) -> Bool {
        guard other.fromClient != fromClient, let position = other.seen.lastIndex(where: { $0 != nil }),
            let segment = other.seen[position], let attempt = verdict.attempts[position]
        else { return false }
        if other.kind == .icmp { return true }
        // The client rejects a SYN-ACK.
        if other.kind == .rst, !fromClient, segment.seq == attempt.clientISN &+ 1 { return true }
        guard segment.flags.contains(.ack), let isn = fromClient ? attempt.clientISN : attempt.serverISN else {
            return false
        }
        // A SYN with data may be acknowledged with them.
        let distance = segment.ack &- isn
        return distance >= 1 && distance < 1 << 16
    }
}
