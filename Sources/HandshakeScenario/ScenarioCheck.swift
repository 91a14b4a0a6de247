package import HandshakeAnalysis
package import HandshakeReport
import PacketWire

/// The analysis of a scenario's frames.
package struct ScenarioResult: Sendable {
    /// In the order of their first frames.
    package var attempts: [AttemptRecord]
    /// The summary's fields.
    package var summary: RecordFields
    package var patterns: [FindingCode]
    package var batches: BatchCounts
}

/// How the frames of a scenario are handed to a tracker.
package enum ScenarioFeed: Sendable {
    /// As they arrive (`ArrivalCuts`): most batches then go the steady way, as those of real captures do.
    case arriving
    /// In batches of 64, whatever the time between the frames.
    case full
}

extension Scenario {
    /// The analysis of the frames, as a capture file of them would give it.
    package func analysed(
        _ configuration: HandshakeTracker.Configuration = .init(), feed: ScenarioFeed = .arriving
    ) -> ScenarioResult {
        var tracker = HandshakeTracker(configuration)
        var attempts: [AttemptRecord] = []
        decode(tracker.makeBatch(), verifiesChecksums: configuration.excludesBadChecksums, feed) { batch in
            tracker.receive(batch)
            attempts += tracker.drain()
        }
        attempts += tracker.finish()
        return ScenarioResult(
            attempts: attempts.sorted { $0.id < $1.id }, summary: RecordFields(tracker.summary),
            patterns: tracker.summary.patterns.map(\.code), batches: tracker.batches)
    }

    /// The attempts as the command writes them as one JSON document, in the order in which they are decided.
    package func document(
        listsPlain: Bool, workers: Int = 1, maximumDecided: Int = 512, maximumAttempts: Int = 1 << 16,
        numbering: DisplayFilter.Numbering = .oneFile
    ) -> [UInt8] {
        report(
            JSONDocumentWriter(RecordContext(numbering)), listsPlain: listsPlain, workers: workers,
            maximumDecided: maximumDecided,
            maximumAttempts: maximumAttempts)
    }

    /// The same in any format.
    /// - Parameters:
    ///   - listsPlain: whether plain attempts are written without their records.
    ///   - workers: how many trackers share the tuples out.
    ///   - maximumDecided: how many decided attempts a tracker keeps until they are taken.
    ///   - maximumAttempts: how many attempts are remembered.
    package func report(
        _ writer: some RecordWriter, listsPlain: Bool, workers: Int = 1, maximumDecided: Int = 512,
        maximumAttempts: Int = 1 << 16
    ) -> [UInt8] {
        var configuration = HandshakeTracker.Configuration()
        configuration.maximumAttempts = maximumAttempts
        if listsPlain { configuration.listing = .plainAndRecords }
        configuration.maximumDecided = maximumDecided
        configuration.hashSeed = 1
        var (out, writer) = (OutputBuffer(), writer)
        var decided = [[Decisions]](repeating: [], count: workers)
        var counts = SummaryCounts()
        for worker in 0..<workers {
            guard var tracker = HandshakeTracker(configuration, worker: worker, of: workers) else {
                preconditionFailure("there is no memory for a table")
            }
            func take(_ tracker: inout HandshakeTracker) {
                var decisions = Decisions()
                tracker.moveDecisions(into: &decisions)
                decided[worker].append(decisions)
            }
            decode(tracker.makeBatch(), verifiesChecksums: true, .arriving) { batch in
                tracker.receive(batch, take)
                take(&tracker)
            }
            tracker.end(take)
            take(&tracker)
            counts.add(tracker.allCounts)
        }
        Decisions.inTurn(decided) { order, turn in
            if order.isPlain(turn) {
                writer.attempt(order.plain(turn), record: { order.record(turn) }, to: &out)
            } else {
                writer.attempt(order.record(turn), to: &out)
            }
        }
        writer.end(ReportEnd(counts.summary, CaptureLoss()), to: &out)
        return out.bytes
    }

    /// Hands out the frames in batches as a reader of their capture file decodes them, fragments put together.
    private func decode(
        _ batch: consuming FrameBatch, verifiesChecksums: Bool, _ feed: ScenarioFeed,
        _ take: (borrowing FrameBatch) -> Void
    ) {
        let decoder = FrameDecoder(linkType, verifiesChecksums: verifiesChecksums)
        var cuts = ArrivalCuts()
        for (index, frame) in frames().enumerated() {
            if feed == .arriving, cuts.cuts(batch, before: frame.time) {
                take(batch)
                batch.removeAll()
            }
            unsafe batch.append(
                frame.octets.span.bytes, wireLength: frame.wireLength, number: UInt64(index + 1), time: frame.time,
                decoder: decoder)
            if batch.isFull {
                take(batch)
                batch.removeAll()
            }
        }
        take(batch)
        batch.removeAll()
        batch.endFragments()
        take(batch)
    }

    /// Compares what analysis makes of the frames with what the scenario expects. Besides its lines: every attempt's
    /// outcome must be expected, and an attempt has no findings but those that are listed.
    /// - Returns: what differs; empty if nothing does.
    package func check() -> [Diagnostic] {
        // A small table: a scenario has few attempts, and a check maps no more memory than that.
        var configuration = HandshakeTracker.Configuration()
        configuration.maximumAttempts = 4096
        return ScenarioCheck(self, analysed(configuration)).differences()
    }
}

/// Compares a scenario's expectations with a result.
struct ScenarioCheck {
    private let scenario: Scenario
    private let result: ScenarioResult
    /// The attempts of each flow, in the order of their first frames.
    private let attempts: [[AttemptRecord]]
    /// The findings of all attempts.
    private let codes: [FindingCode]

    init(_ scenario: Scenario, _ result: ScenarioResult) {
        self.scenario = scenario
        self.result = result
        let attempts = Dictionary(grouping: result.attempts) { Identity($0.client, $0.server, $0.clientISN) }
        self.attempts = scenario.flows.map { attempts[Identity($0.client, $0.server, $0.clientISN)] ?? [] }
        codes = result.attempts.flatMap { $0.findings.map(\.code) }
    }

    /// The numbers of an attempt relative to its flow.
    private struct Identity: Hashable {
        let client, server: Endpoint
        let clientISN: UInt32

        init(_ client: Endpoint, _ server: Endpoint, _ clientISN: UInt32) {
            (self.client, self.server, self.clientISN) = (client, server, clientISN)
        }
    }

    /// Whether there is a finding of that name.
    static func knows(code: String) -> Bool { FindingCode(rawValue: code) != nil }

    func differences() -> [Diagnostic] {
        if scenario.expectations.isEmpty {
            return [diagnostic("the scenario expects nothing: end it with expect lines", nil)]
        }
        var differences: [Diagnostic] = []
        for expectation in scenario.expectations where differences.count < Scenario.maximumDiagnostics {
            if let difference = difference(expectation) { differences.append(difference) }
        }
        differences += unexpectedAttempts() + unexpectedFindings()
        return Array(differences.prefix(Scenario.maximumDiagnostics))
    }

    private func diagnostic(_ message: String, _ source: SourceLine?) -> Diagnostic {
        Diagnostic(scenario: scenario.name, source: source, column: nil, message: message)
    }

    private func difference(_ expectation: Expectation) -> Diagnostic? {
        let fields: RecordFields
        let codes: [FindingCode]
        switch expectation.subject {
        case .everything, .summary:
            fields = result.summary
            codes = result.patterns + (expectation.subject == .everything ? self.codes : [])
        case .attempt(let flow, let occurrence):
            guard attempts[flow].count >= occurrence else {
                let name = scenario.flows[flow].name
                return diagnostic(
                    "there is no \(occurrence > 1 ? "attempt \(occurrence)" : "attempt") of flow \(name.isEmpty ? "\(scenario.flows[flow].client) > \(scenario.flows[flow].server), x \(scenario.flows[flow].clientISN)" : name); found: \(found)",
                    expectation.source)
            }
            let attempt = attempts[flow][occurrence - 1]
            fields = RecordFields(attempt)
            codes = attempt.findings.map(\.code)
        }
        let message: String? =
            switch expectation.claim {
            case .field(let path, let values): ScenarioCheck.compare(fields, path) { $0 == values }
            case .range(let path, let range):
                ScenarioCheck.compare(fields, path) { $0.count == 1 && Int64($0[0]).map(range.contains) == true }
            case .findings(let expected):
                Set(expected) == Set(codes.map(\.rawValue))
                    ? nil : "found are \(codes.isEmpty ? "none" : codes.map(\.rawValue).joined(separator: " "))"
            case .absent(let code):
                codes.contains { $0.rawValue == code } ? "\(code) was found" : nil
            }
        return message.map { diagnostic($0, expectation.source) }
    }

    private var found: String {
        result.attempts.isEmpty
            ? "no attempt"
            : result.attempts.prefix(20)
                .map { "\($0.client) > \($0.server), x \($0.clientISN), \($0.outcome.rawValue)" }
                .joined(separator: "; ") + (result.attempts.count > 20 ? "; ..." : "")
    }

    /// - Returns: nil if the field's value is as it should be.
    private static func compare(_ fields: RecordFields, _ path: String, _ isExpected: ([String]) -> Bool) -> String? {
        switch fields[path] {
        case .value(let values):
            return isExpected(values) ? nil : "\(path) is \(values.isEmpty ? "empty" : values.joined(separator: " "))"
        case .underNull(let parent):
            return isExpected(["null"]) ? nil : "\(parent) is null"
        case .unknown:
            let near = fields.paths(like: path)
            return "there is no field '\(path)'" + (near.isEmpty ? "" : ": is it \(near.joined(separator: ", "))?")
        }
    }

    // MARK: What no line expects

    private func unexpectedAttempts() -> [Diagnostic] {
        var expected: Set<UInt64> = []
        for expectation in scenario.expectations {
            guard case .attempt(let flow, let occurrence) = expectation.subject, attempts[flow].count >= occurrence,
                case .field("outcome", _) = expectation.claim
            else { continue }
            expected.insert(attempts[flow][occurrence - 1].id)
        }
        return result.attempts.filter { !expected.contains($0.id) }.map {
            diagnostic(
                "no line expects the outcome of the attempt that begins at packet \($0.id): \($0.client) > \($0.server), x \($0.clientISN), \($0.outcome.rawValue)",
                nil)
        }
    }

    private func unexpectedFindings() -> [Diagnostic] {
        // By attempts: several flows may have the same ones.
        var listed: Set<UInt64> = []
        var listsPatterns = false
        for expectation in scenario.expectations {
            guard case .findings = expectation.claim else { continue }
            switch expectation.subject {
            case .attempt(let flow, let occurrence) where attempts[flow].count >= occurrence:
                listed.insert(attempts[flow][occurrence - 1].id)
            case .attempt, .everything: break
            case .summary: listsPatterns = true
            }
        }
        let names = Dictionary(
            scenario.flows.map { (Identity($0.client, $0.server, $0.clientISN), $0.name) }, uniquingKeysWith: { $1 })
        var diagnostics: [Diagnostic] = []
        for attempt in result.attempts where !attempt.findings.isEmpty && !listed.contains(attempt.id) {
            guard let name = names[Identity(attempt.client, attempt.server, attempt.clientISN)] else { continue }
            let codes = attempt.findings.map(\.code.rawValue).joined(separator: " ")
            diagnostics.append(
                diagnostic("no line expects the findings of \(name.isEmpty ? "the attempt" : name): \(codes)", nil))
        }
        if !result.patterns.isEmpty, !listsPatterns {
            let codes = result.patterns.map(\.rawValue).joined(separator: " ")
            diagnostics.append(diagnostic("no line expects the patterns: \(codes)", nil))
        }
        return diagnostics
    }
}

extension Decisions {
    /// Goes through what several trackers decided at the same frames, as often as each handed it out.
    package static func inTurn(_ decided: [[Decisions]], _ take: (borrowing Order, Order.Turn) -> Void) {
        var steps = [Int](repeating: 0, count: decided.count)
        func next(_ tracker: Int) -> Decisions {
            steps[tracker] += 1
            return decided[tracker][steps[tracker] - 1]
        }
        while steps[0] < decided[0].count {
            var order = Order(decided.indices.map(next))
            while true {
                while let turn = order.next() { take(order, turn) }
                guard let tracker = order.awaited else { break }
                order.resume(with: next(tracker))
            }
        }
    }
}
