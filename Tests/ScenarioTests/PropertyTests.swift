import HandshakeAnalysis
@testable import HandshakeScenario
import HandshakeReport
import PacketWire
import Simulation
import Testing

/// What must not change a verdict, tried on every scenario.
@Suite("Properties over all scenarios")
struct PropertyTests {
    /// The records in lines of JSON, in the order of their first frames.
    private func lines(_ scenario: Scenario) -> [String] { lines(scenario.analysed()) }

    private func lines(_ result: ScenarioResult) -> [String] {
        result.attempts.map { record in
            var out = OutputBuffer()
            JSONReport.line(record, to: &out)
            return String(decoding: out.bytes, as: UTF8.self)
        }
    }

    private func verdicts(_ records: [AttemptRecord]) -> [String] {
        records.map { record in
            let codes = record.findings.map { "\($0.code.rawValue) \($0.location?.rawValue ?? "")" }
            return "\(record.outcome.rawValue) \(record.form?.rawValue ?? "-") \(record.completedBy?.rawValue ?? "-") "
                + "\(record.synCount) \(record.synAckCount) \(record.rstCount) \(record.confidence.rawValue) "
                + "\(record.synToSynAck.map { "\($0)" } ?? "-") \(record.total.map { "\($0)" } ?? "-") "
                + "\(record.negotiatedMSS ?? 0) \(codes)"
        }
    }

    @Test("Shifting all times changes times only", arguments: ScenarioFiles.all)
    func shiftedTimes(_ name: String) throws {
        // Times that are all on whole seconds would not be so any more.
        if name.contains("clock-of-whole-seconds") { return }
        let scenario = try ScenarioFiles.read(name)
        var later = scenario
        for index in later.steps.indices { later.steps[index].time += 7_654_321_987_654_321 }
        #expect(verdicts(later.analysed().attempts) == verdicts(scenario.analysed().attempts))
    }

    @Test("Adding a constant to every x and y, across the wrap, changes ISNs only", arguments: ScenarioFiles.all)
    func shiftedISNs(_ name: String) throws {
        let scenario = try ScenarioFiles.read(name)
        // A zero ISN and an ACK field of zero are remarkable by their value.
        if name.contains("isn-zero") || name.contains("established-x-") || name.contains("established-y-")
            || name.contains("seq-zero") || name.contains("possible-forgery")
        {
            return
        }
        var shifted = scenario
        let constant: UInt32 = 0xffff_f000
        func shift(_ packet: inout Scenario.Packet) {
            packet.segment.seq &+= constant
            if packet.segment.flags.contains(.ack) || packet.segment.ack != 0 { packet.segment.ack &+= constant }
        }
        for index in shifted.steps.indices {
            switch shifted.steps[index].content {
            case .packet(var packet):
                shift(&packet)
                shifted.steps[index].content = .packet(packet)
            case .icmp(let error, about: var packet, let quoted):
                shift(&packet)
                shifted.steps[index].content = .icmp(error, about: packet, quoted: quoted)
            case .idle, .octets: break
            }
        }
        let zero = { (records: [AttemptRecord]) in records.filter { $0.has(.isnZero) }.isEmpty }
        let (before, after) = (scenario.analysed().attempts, shifted.analysed().attempts)
        guard zero(before), zero(after) else { return }
        #expect(verdicts(after) == verdicts(before))
    }

    @Test("Mirroring addresses changes names only", arguments: ScenarioFiles.all)
    func mirroredAddresses(_ name: String) throws {
        let scenario = try ScenarioFiles.read(name)
        if scenario.flows.contains(where: { $0.client.port == 0 || $0.server.port == 0 }) { return }
        var mirrored = scenario
        // Ports too: the lower end becomes the higher, and the key is stored the other way round.
        func mirror(_ end: Endpoint) -> Endpoint {
            let address = end.address
            let other =
                address.version == .v4
                ? IPAddress(v4: ~UInt32(truncatingIfNeeded: address.low))
                : IPAddress(v6High: ~address.high, low: ~address.low)
            return Endpoint(other, ~end.port)
        }
        func mirror(_ packet: inout Scenario.Packet) {
            packet.segment.source = mirror(packet.segment.source)
            packet.segment.destination = mirror(packet.segment.destination)
        }
        for index in mirrored.steps.indices {
            switch mirrored.steps[index].content {
            case .packet(var packet):
                mirror(&packet)
                mirrored.steps[index].content = .packet(packet)
            case .icmp(var error, about: var packet, let quoted):
                mirror(&packet)
                error.source = packet.segment.source
                error.destination = packet.segment.destination
                mirrored.steps[index].content = .icmp(error, about: packet, quoted: quoted)
            case .idle, .octets: break
            }
        }
        if scenario.analysed().attempts.contains(where: { $0.has(.portZero) || $0.has(.selfConnect) }) { return }
        #expect(verdicts(mirrored.analysed().attempts) == verdicts(scenario.analysed().attempts))
    }

    @Test(
        "A second sighting of any one packet at the same time, one hop on, changes no outcome",
        arguments: ScenarioFiles.all)
    func doubledPacket(_ name: String) throws {
        let scenario = try ScenarioFiles.read(name)
        // Large ones are tried at a few places.
        let places = Array(stride(from: 0, to: scenario.steps.count, by: max(1, scenario.steps.count / 12)))
        let before = scenario.analysed().attempts.map(\.outcome)
        for place in places {
            guard case .packet(var packet) = scenario.steps[place].content, packet.segment.hopLimit > 1 else {
                continue
            }
            packet.segment.hopLimit -= 1
            var doubled = scenario
            doubled.steps.insert(Scenario.Step(time: scenario.steps[place].time, .packet(packet)), at: place + 1)
            #expect(doubled.analysed().attempts.map(\.outcome) == before, "packet \(place + 1)")
        }
    }

    @Test("Counting without listing attempts comes to the same sums", arguments: ScenarioFiles.all)
    func counted(_ name: String) throws {
        let scenario = try ScenarioFiles.read(name)
        var configuration = HandshakeTracker.Configuration()
        let listed = scenario.analysed(configuration)
        configuration.listsAttempts = false
        let counted = scenario.analysed(configuration)
        #expect(counted.attempts.isEmpty)
        #expect(counted.summary == listed.summary)
        #expect(counted.patterns == listed.patterns)
    }

    @Test("Attempts that go without detail as long as they are ordinary come to the same", arguments: ScenarioFiles.all)
    func shortForms(_ name: String) throws {
        let scenario = try ScenarioFiles.read(name)
        var configuration = HandshakeTracker.Configuration()
        for listsAttempts in [true, false] {
            configuration.listsAttempts = listsAttempts
            configuration.usesShortForms = true
            let short = scenario.analysed(configuration)
            configuration.usesShortForms = false
            let detailed = scenario.analysed(configuration)
            #expect(lines(short) == lines(detailed))
            #expect(short.summary == detailed.summary)
            #expect(short.patterns == detailed.patterns)
        }
    }

    @Test("Plain attempts are written as their records would be", arguments: ScenarioFiles.all)
    func plainLines(_ name: String) throws {
        let scenario = try ScenarioFiles.read(name)
        #expect(scenario.document(listsPlain: true) == scenario.document(listsPlain: false))
        #expect(
            scenario.document(listsPlain: true, numbering: .noFile)
                == scenario.document(listsPlain: false, numbering: .noFile))
        #expect(scenario.report(CSVReport(), listsPlain: true) == scenario.report(CSVReport(), listsPlain: false))
    }

    @Test("One tracker, and several that share the tuples out, give the same bytes", arguments: [2, 3, 7])
    func workers(_ count: Int) throws {
        for name in ScenarioFiles.all {
            let scenario = try ScenarioFiles.read(name)
            #expect(
                scenario.document(listsPlain: true, workers: count) == scenario.document(listsPlain: true), "\(name)")
            #expect(
                scenario.document(listsPlain: true, workers: count, maximumDecided: 1)
                    == scenario.document(listsPlain: true), "\(name), one at a time")
        }
    }

    @Test(
        "Frames of other traffic between an attempt's own, another sender's bad checksums among them, change no attempt",
        arguments: ScenarioFiles.all)
    func otherTraffic(_ name: String) throws {
        // Frames between would show that the clock is not so coarse, and that not all is mirrored.
        if name.contains("clock-of-whole-seconds") || name.contains("only-mirrors") { return }
        let scenario = try ScenarioFiles.read(name)
        // A clock that runs back is told from one that jumps by the frames between.
        let steps = scenario.steps
        guard zip(steps, steps.dropFirst()).allSatisfy({ $0.time <= $1.time }) else { return }
        #expect(
            verdicts(scenario.withOtherTraffic().analysed().attempts.filter { $0.client != Scenario.stranger.client })
                == verdicts(scenario.analysed().attempts))
    }

    @Test(
        "Forged segments in a tunnel of one end, by somebody who knows x and y, decide nothing",
        arguments: ScenarioFiles.all)
    func forgedSegments(_ name: String) throws {
        let scenario = try ScenarioFiles.read(name)
        // How many frames there are says how coarse a clock is; a tunnel beside others, whether all is mirrored.
        if name.contains("clock-of-whole-seconds") || name.contains("equal-times") || name.contains("mirrors") {
            return
        }
        var configuration = HandshakeTracker.Configuration()
        configuration.maximumAttempts = 4096
        let before = scenario.analysed(configuration).attempts
        guard !before.contains(where: { $0.has(.foreignTunnel) }) else { return }
        for forgery in Forgery.allCases {
            let after = scenario.with(forgery).analysed(configuration).attempts.filter { !$0.has(.oneWayTunnel) }
            let known = before.filter { !$0.has(.oneWayTunnel) }
            #expect(after.map(\.outcome) == known.map(\.outcome), "\(forgery)")
            #expect(after.map(\.completedBy) == known.map(\.completedBy), "\(forgery)")
            #expect(after.map(\.negotiatedMSS) == known.map(\.negotiatedMSS), "\(forgery)")
            #expect(after.map(\.total) == known.map(\.total), "\(forgery)")
            #expect(after.map(\.synAckAck) == known.map(\.synAckAck), "\(forgery)")
        }
    }

    @Test("Each finding of an attempt stands once in its ladder", arguments: ScenarioFiles.all)
    func ladderFindings(_ name: String) throws {
        for record in try ScenarioFiles.read(name).analysed().attempts {
            var out = OutputBuffer()
            Ladder(record, style: TextStyle(usesColor: false, usesUnicode: false, width: 2000)).draw(to: &out)
            let text = String(decoding: out.bytes, as: UTF8.self)
            for (code, findings) in Dictionary(grouping: record.findings, by: \.code) {
                let count = text.ranges(of: "! \(code.severity.rawValue) \(code.rawValue):").count
                #expect(count == findings.count, "\(code.rawValue) of attempt \(record.id)")
            }
        }
    }

    @Test("Frames in batches of 64, and as they arrive, come to the same", arguments: ScenarioFiles.all)
    func batches(_ name: String) throws {
        let scenario = try ScenarioFiles.read(name)
        // How fine the clock is, is known batch by batch.
        if name.contains("clock-of-whole-seconds") { return }
        #expect(lines(scenario.analysed(feed: .full)) == lines(scenario.analysed()))
    }

    @Test("Most batches of all scenarios go the steady way, as those of real captures do")
    func steadyBatches() throws {
        var counts = BatchCounts()
        for name in ScenarioFiles.all { counts += try ScenarioFiles.read(name).analysed().batches }
        print("scenarios: \(counts.steady) of \(counts.all) batches of two frames or more went steadily")
        #expect(counts.steady * 2 > counts.all)
    }

    @Test("The order of unrelated connections of the same moments does not matter, nor that there are others")
    func unrelatedConnections() throws {
        let names = ScenarioFiles.all.filter { $0.hasPrefix("outcomes/") || $0.hasPrefix("round-trips/") }
        for (first, second) in zip(names, names.dropFirst()) {
            let (a, b) = (try ScenarioFiles.read(first), try ScenarioFiles.read(second))
            guard a.linkType == .ethernet, b.linkType == .ethernet else { continue }
            let moved = b.moved()
            let (ab, ba) = (a.merged(with: moved), moved.merged(with: a))
            let forward = verdicts(ab.analysed().attempts).sorted()
            #expect(forward == verdicts(ba.analysed().attempts).sorted(), "\(first) and \(second)")
        }
    }
}

extension Scenario {
    /// A connection of nobody in any scenario.
    static let stranger = Flow(
        name: "stranger", client: Endpoint(IPAddress(v4: 0xcb00_71c8), 6000),
        server: Endpoint(IPAddress(v4: 0xcb00_71c9), 7000), clientISN: 1, serverISN: 2)

    /// The same with frames of others halfway between its own: a datagram, and an ACK with a bad checksum.
    func withOtherTraffic() -> Scenario {
        var busy = self
        busy.flows.append(Scenario.stranger)
        busy.steps = []
        for (index, step) in steps.enumerated() {
            if index > 0, step.time - steps[index - 1].time > 1 {
                let between = steps[index - 1].time + (step.time - steps[index - 1].time) / 2
                var segment = Segment(from: Scenario.stranger.client, to: Scenario.stranger.server)
                segment.flags = .ack
                segment.checksum = .bad
                busy.steps.append(Step(time: between, .idle))
                busy.steps.append(
                    Step(
                        time: between,
                        .packet(Packet(flow: busy.flows.count - 1, isFromClient: true, segment: segment))))
            }
            busy.steps.append(step)
        }
        return busy
    }

    /// The same between other addresses.
    fileprivate func moved() -> Scenario {
        var copy = self
        func move(_ packet: inout Packet) {
            for path in [\Segment.source, \Segment.destination] {
                let end = packet.segment[keyPath: path]
                packet.segment[keyPath: path] = Endpoint(
                    end.address.version == .v4
                        ? IPAddress(v4: UInt32(truncatingIfNeeded: end.address.low) ^ 0x0100_0000)
                        : IPAddress(v6High: end.address.high ^ 1 << 40, low: end.address.low), end.port)
            }
        }
        for index in copy.steps.indices {
            switch copy.steps[index].content {
            case .packet(var packet):
                move(&packet)
                copy.steps[index].content = .packet(packet)
            case .icmp(var error, about: var packet, let quoted):
                move(&packet)
                (error.source, error.destination) = (packet.segment.source, packet.segment.destination)
                copy.steps[index].content = .icmp(error, about: packet, quoted: quoted)
            case .idle, .octets: break
            }
        }
        return copy
    }

    fileprivate func merged(with other: Scenario) -> Scenario {
        var both = self
        both.steps = (steps + other.steps).enumerated()
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
        return both
    }
}
