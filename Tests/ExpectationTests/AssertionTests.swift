import HandshakeAnalysis
import HandshakeDiagnosis
import HandshakeReport
import HandshakeScenario
import Simulation
import Testing

@testable import HandshakeExpectation

@Suite("Assertions over all attempts")
struct AssertionTests {
    static func judge(
        _ text: String, where condition: String? = nil, _ records: [AttemptRecord] = Records.five
    ) throws -> Judgement {
        let assertion = try Assertion(text, where: try condition.map { try Predicate($0) })
        var trial = Trial(assertion)
        for record in records { trial.take(record) }
        return trial.judgement()
    }

    @Test("An attempt that may be made up makes no assertion hold, and none fail")
    func doubtfulAttempts() throws {
        var doubtful = Records.five
        doubtful[2].isDoubtful = true
        let alone = [doubtful[2]]
        #expect(try AssertionTests.judge("none(hs.outcome == stale)", alone).status == .unknown)
        #expect(try AssertionTests.judge("none(hs.outcome == refused)", alone).status == .unknown)
        #expect(try AssertionTests.judge("any(hs.outcome == refused)", doubtful).status == .unknown)
        #expect(try AssertionTests.judge("none(hs.outcome == refused)", doubtful).status == .unknown)
        #expect(try AssertionTests.judge("none(hs.outcome == refused)", doubtful).doubts.count == 1)
        // What others decide stays decided.
        #expect(try AssertionTests.judge("any(hs.outcome == established)", doubtful).status == .passed)
        #expect(try AssertionTests.judge("none(hs.outcome == unanswered)", doubtful).status == .failed)
    }

    @Test("An assertion can ask what the capture is, by itself and beside aggregates")
    func captureQuality() throws {
        func status(_ text: String, _ quality: [CaptureQuality]) throws -> Judgement.Status {
            var trial = Trial(try Assertion(text))
            for record in Records.five { trial.take(record) }
            return trial.judgement(CaptureFacts(quality: quality)).status
        }
        #expect(try status("capture.quality contains filtered", [.filtered, .doubled]) == .passed)
        #expect(try status("capture.quality contains filtered", [.doubled]) == .failed)
        #expect(try status("not (capture.quality contains \"filtered\")", []) == .passed)
        #expect(try status("capture.quality contains filtered or any(hs.outcome == refused)", []) == .passed)
        #expect(try status("not (capture.quality contains cut) and count() == 5", [.cut]) == .failed)
        let told = Trial(try Assertion("capture.quality contains cut")).judgement(
            CaptureFacts(quality: [.filtered, .doubled]))
        #expect(told.statements == ["capture.quality = filtered doubled"])
    }

    @Test(
        "What is wrong with a question about the capture is said",
        arguments: [
            ("capture.quality contains filterd", "did you mean 'filtered'?"),
            ("all(capture.quality contains filtered)", "about the capture"),
            ("capture.quality", "is no condition"),
            ("capture.situations contains port-filterd", "did you mean 'port-filtered'?"),
        ])
    func wrongCaptureQuality(_ text: String, _ message: String) {
        do throws(ExpressionError) {
            _ = try Assertion(text)
            Issue.record("it was taken")
        } catch {
            #expect(error.message.contains(message), "\(error.message)")
        }
    }

    @Test("An assertion can ask which situations there are, and whoever asks needs them to be looked for")
    func captureSituations() throws {
        let assertion = try Assertion("not (capture.situations contains port-refused)")
        #expect(assertion.asksForSituations)
        #expect(!(try Assertion("not (capture.quality contains filtered)").asksForSituations))
        let found = Trial(assertion).judgement(CaptureFacts(situations: [.portRefused, .scan, .portRefused]))
        #expect(found.status == .failed)
        #expect(found.statements == ["capture.situations = port-refused scan"])
        #expect(Trial(assertion).judgement(CaptureFacts(situations: [.scan])).status == .passed)
    }

    @Test("A capture that lacks what a situation shows leaves its absence not known")
    func doubtedSituations() throws {
        var check = RuleCheck([try Rule("not (capture.situations contains port-refused)")])
        for record in Records.five { check.take(record) }
        var verdict = check.verdict([.filtered])
        #expect(verdict.results.map(\.judgement.status) == [.passed])
        verdict.doubt(["the capture is filtered"])
        #expect(verdict.results.map(\.judgement.status) == [.unknown])
    }

    @Test("What a filter left out makes an assertion about attempts unknown, and not one about the capture")
    func doubtsAboutCapture() throws {
        var check = RuleCheck([try Rule("capture.quality contains filtered"), try Rule("none(hs.outcome == stale)")])
        for record in Records.five { check.take(record) }
        var verdict = check.verdict([.filtered])
        verdict.doubt(["the capture is filtered"])
        #expect(verdict.results.map(\.judgement.status) == [.passed, .unknown])
    }

    @Test(
        "What one direction or a filter hides breaks no rule: a failure that rests on it alone is not known",
        arguments: [
            ("> S\n+1s > S\n+10s idle\n+1s idle", CaptureQuality.oneDirection, Judgement.Status.unknown),
            ("> S\n+1s > S\n+10s idle\n+1s idle", .filtered, .failed),
            ("> S\n+1ms < S.\n+10s idle\n+1s idle", .filtered, .unknown),
            ("> S\n+1ms < S.\n+10s idle\n+1s idle", .oneDirection, .failed),
            ("> S\n+1ms < R. =0", .filtered, .failed), ("> S\n+1ms < R. =0", .oneDirection, .failed),
        ])
    func hiddenByCapture(_ steps: String, _ quality: CaptureQuality, _ expected: Judgement.Status) throws {
        var check = RuleCheck([try Rule("none(hs.failed)")])
        for record in try Scenario(text: "0 " + steps, name: "hidden").analysed().attempts { check.take(record) }
        #expect(check.verdict([quality]).results.map(\.judgement.status) == [expected])
    }

    @Test(
        "What was captured breaks a rule of one direction all the same",
        arguments: [
            "none(hs.syn.count > 1)", "count() <= 0", "none(hs.failed) and count() == 0", "all(tcp.dstport == 1)",
        ])
    func seenInOneDirection(_ rule: String) throws {
        var check = RuleCheck([try Rule(rule)])
        let text = "0 > S\n+1s > S\n+10s idle\n+1s idle"
        for record in try Scenario(text: text, name: "seen").analysed().attempts { check.take(record) }
        #expect(check.verdict([.oneDirection]).results.map(\.judgement.status) == [.failed])
    }

    /// Of the five attempts of `Records`.
    static let table: [(expression: String, expected: Judgement.Status)] = [
        ("all(hs.outcome == established)", .failed),
        ("all(hs.outcome == established where tcp.dstport == 443)", .passed),
        ("hs.starts_at == syn", .passed), ("hs.failed", .failed), ("any(hs.outcome == refused)", .passed),
        ("any(hs.outcome == stale)", .failed), ("none(hs.outcome == stale)", .passed), ("none(hs.failed)", .failed),
        ("not any(hs.outcome == stale)", .passed), ("not all(hs.failed)", .passed), ("!none(hs.failed)", .passed),
        ("count() == 5", .passed), ("count(hs.failed) == 2", .passed), ("count(hs.failed) != 2", .failed),
        ("count(hs.failed) <= 1", .failed), ("count(hs.failed where tcp.dstport == 443) == 0", .passed),
        ("count(hs.failed) in {1..3}", .passed), ("count(hs.failed) in {0 3..9}", .failed),
        ("2 == count(hs.failed)", .passed),
        ("ratio(hs.outcome == established) == 60%", .passed), ("ratio(hs.outcome == established) >= 0.6", .passed),
        ("ratio(hs.outcome == established) >= 99%", .failed),
        ("ratio(hs.failed where tcp.dstport == 443) == 0", .passed),
        // lossy may be below 50 ms, or not: two to three of five, of which two are unknown
        ("count(hs.rtt.total < 50ms) >= 2", .passed), ("count(hs.rtt.total < 50ms) >= 3", .unknown),
        ("count(hs.rtt.total < 50ms) > 5", .failed), ("none(hs.rtt.total < 50ms)", .failed),
        ("none(hs.rtt.total > 50ms)", .unknown), ("all(hs.rtt.total < 50ms)", .unknown),
        ("all(hs.rtt.total < 2s where hs.outcome == established)", .passed), ("none(hs.rtt.total > 2s)", .unknown),
        ("any(hs.rtt.total > 2s)", .unknown), ("any(hs.rtt.total == 21ms)", .passed),
        ("ratio(hs.rtt.total < 50ms where known(hs.rtt.total)) > 50%", .passed),
        ("ratio(hs.rtt.total < 50ms where known(hs.rtt.total)) > 70%", .unknown),
        // figures: 6 ms, 21 ms, and one between 21 ms and 1.021 s
        ("min(hs.rtt.total) == 6ms", .passed), ("max(hs.rtt.total) <= 1021ms", .passed),
        ("max(hs.rtt.total) < 1s", .unknown),
        ("max(hs.rtt.total) < 20ms", .failed), ("max(hs.rtt.total) > 2s", .failed),
        ("p50(hs.rtt.total) == 21ms", .passed),
        ("p50(hs.rtt.total) < 50ms and p99(hs.rtt.total) < 2s", .passed), ("p99(hs.rtt.total) < 50ms", .unknown),
        ("mean(hs.rtt.total) >= 16ms", .passed), ("mean(hs.rtt.total) > 16ms", .unknown),
        ("sum(hs.syn.count) == 9", .passed),
        ("mean(hs.syn.count) == 1.8", .passed), ("min(hs.mss.client) == 536", .passed),
        ("p0.5(hs.syn.count) < 2", .passed),
        ("percentile(hs.syn.count, 100) == 3", .passed), ("percentile(hs.syn.count, 0) == 1", .passed),
        ("max(hs.rtt.total where ip.version == 6) == 6ms", .passed), ("p50(hs.refusal) == 3ms", .passed),
        ("max(hs.setup) > max(hs.refusal)", .passed), ("count(hs.failed) < count(not hs.failed)", .passed),
        // nobody is there, or nobody has one
        ("all(hs.failed where tcp.dstport == 1)", .unmatched),
        ("count(hs.failed where tcp.dstport == 1) == 0", .unmatched),
        ("any(hs.failed where tcp.dstport == 1) or any(hs.failed)", .unmatched), ("max(hs.icmp.code) < 5", .unknown),
        // whether an attempt belongs cannot be told
        ("all(hs.failed where hs.refusal < 1s)", .unknown), ("any(hs.failed where hs.refusal < 1s)", .passed),
        ("all(hs.starts_at == syn where hs.refusal < 1s)", .passed),
        ("max(hs.syn.count where hs.refusal < 1s) < 9", .unknown),
        ("count(hs.failed where hs.refusal < 1s) == 1", .unknown),
        ("count(hs.failed where hs.refusal < 1s) <= 2", .passed),
        ("ratio(hs.failed where hs.refusal < 1s) >= 25%", .passed),
        ("ratio(hs.failed where hs.refusal < 1s) > 50%", .unknown),
        ("any(hs.outcome == refused) and none(hs.outcome == stale)", .passed),
        ("any(hs.outcome == stale) or count(hs.failed) < 9", .passed),
        ("any(hs.outcome == stale) and any(hs.rtt.total > 2s)", .failed),
        ("not (any(hs.outcome == stale) or none(hs.failed))", .passed),
    ]

    @Test("An assertion passes, fails or cannot be told", arguments: table.indices)
    func judges(_ position: Int) throws {
        let (expression, expected) = Self.table[position]
        #expect(try Self.judge(expression).status == expected, "\(expression)")
    }

    static let mistakes: [(expression: String, column: Int, message: String)] = [
        ("p99(hs.rtt.total)", 1, "p99() is a figure: compare it"), ("count(hs.failed)", 1, "is a figure"),
        ("all(hs.failed) == 1", 1, "all() is true or false by itself"),
        ("p99(hs.outcome) < 1ms", 5, "p99() is of a number or a duration"),
        ("p99(tcp.port) < 1", 5, "is a list"), ("p99(hs.rtt.total) < 50", 21, "say its unit"),
        ("ratio(hs.failed) < 50", 20, "a ratio is from 0 to 1: 50 of a hundred is 50%"),
        ("ratio(hs.failed) < 150%", 20, "a ratio is from 0% to 100%"),
        ("p99(hs.rtt.total) < 50 ms", 21, "no space comes between a number and its unit: 50ms"),
        ("ratio(hs.failed) < 5 %", 20, "no space comes between a number and its unit: 5%"),
        ("p0x10(hs.rtt.total) < 1ms", 1, "there is no function"),
        ("ratio(hs.failed) < 50ms", 20, "is a ratio, and 50ms is a duration"),
        ("count(hs.failed) < 5%", 20, "is a number, and 5% is a percentage"),
        ("count(hs.failed) == 0 and hs.failed", 27, "stands inside one: all(hs.failed)"),
        ("all(hs.failed) and hs.syn.count == 1", 20, "stands inside one"), ("all()", 1, "takes one condition"),
        ("p99() < 1ms", 1, "takes one field"), ("percentile(hs.rtt.total) < 1ms", 1, "takes a field and a rank"),
        ("percentile(hs.rtt.total, 101) < 1ms", 26, "a rank is a number from 0 to 100"),
        ("p100(hs.rtt.total) < 1ms", 1, "there is no function 'p100'"),
        ("p0(hs.rtt.total) < 1ms", 1, "there is no function 'p0'"), ("al(hs.failed)", 1, "did you mean 'all'?"),
        ("all(any(hs.failed))", 5, "any() is about all attempts"),
        ("all(hs.failed where all(hs.failed))", 21, "all() is about all attempts"),
        ("count(hs.failed) < max(hs.rtt.total)", 20, "cannot be compared"),
        ("max(hs.rtt.total) in {1..2}", 23, "say its unit"),
        ("true and all(hs.failed)", 1, "is no condition"), ("all(hs.failed where)", 20, "stands where"),
        ("all(hs.failed hs.failed)", 15, "stands where"),
    ]

    @Test("A mistake in an assertion is named with its place", arguments: mistakes.indices)
    func mistake(_ position: Int) {
        let (expression, column, message) = Self.mistakes[position]
        do {
            _ = try Assertion(expression)
            Issue.record("\(expression) was taken")
        } catch {
            #expect(error.column == column && error.message.contains(message), "\(error)")
        }
    }

    @Test("A rule's where and an aggregate's both select")
    func bothConditions() throws {
        #expect(try Self.judge("count(where ip.version == 4) == 2", where: "tcp.dstport == 443").status == .passed)
    }

    // MARK: Evidence

    @Test("What breaks an assertion is counted and shown, with what it says")
    func offenders() throws {
        let judgement = try Self.judge("all(hs.outcome == established)")
        #expect(judgement.offenderCount == 2)
        #expect(judgement.examples.map(\.record.outcome) == [.refused, .unanswered])
        #expect(judgement.examples.first?.values.map { "\($0.field) \($0.value)" } == ["hs.outcome refused"])
    }

    @Test("Attempts that break it and those that leave it open are counted apart; those that break it come first")
    func open() throws {
        let broken = try Self.judge("all(hs.rtt.total < 10ms) and none(hs.rtt.total > 20ms)")
        #expect(broken.status == .failed)
        #expect((broken.offenderCount, broken.openCount) == (2, 2))
        #expect(broken.examples.prefix(2).allSatisfy { $0.record.outcome == .established })
        let open = try Self.judge("all(hs.rtt.total < 30ms)")
        #expect(open.status == .unknown)
        #expect((open.offenderCount, open.openCount) == (0, 3))
    }

    @Test("The value furthest from its limit comes first")
    func worstFirst() throws {
        let judgement = try Self.judge("max(hs.syn.count) <= 1")
        #expect(judgement.examples.map(\.record.synCount) == [3, 2, 2])
    }

    @Test("Under a negation the attempts that hold are the evidence")
    func negated() throws {
        #expect(try Self.judge("not any(hs.outcome == refused)").examples.map(\.record.outcome) == [.refused])
        #expect(try Self.judge("not count(hs.failed) > 1").offenderCount == 2)
    }

    @Test("Of two conditions only the broken one's attempts are evidence")
    func onlyTheBroken() throws {
        let judgement = try Self.judge("ratio(hs.outcome == established) > 50% and none(hs.outcome == refused)")
        #expect(judgement.examples.map(\.record.outcome) == [.refused])
    }

    @Test("What an 'or' that holds has in it is no evidence")
    func satisfiedAlternative() throws {
        let judgement = try Self.judge("(all(hs.failed) or all(true)) and none(hs.outcome == refused)")
        #expect(judgement.examples.map(\.record.outcome) == [.refused])
    }

    @Test("Of a share that should be all, what is missing is the evidence")
    func missingShare() throws {
        #expect(try Self.judge("ratio(hs.outcome == established) == 100%").offenderCount == 2)
        #expect(try Self.judge("ratio(hs.failed) == 0%").offenderCount == 2)
    }

    @Test("Where none is allowed, all and figures hold of nobody; a count is 0, and what does not hold fails")
    func noneAllowed() throws {
        func status(_ text: String) throws -> Judgement.Status {
            var trial = Trial(try Assertion(text), allowsNone: true)
            for record in Records.five { trial.take(record) }
            return trial.judgement().status
        }
        #expect(try status("all(hs.failed where tcp.dstport == 1)") == .passed)
        #expect(try status("p99(hs.rtt.total where tcp.dstport == 1) < 1ms") == .passed)
        #expect(try status("not p99(hs.rtt.total where tcp.dstport == 1) < 1ms") == .passed)
        #expect(try status("count(where tcp.dstport == 1) >= 10") == .failed)
        #expect(try status("all(hs.outcome == established) and count(where tcp.dstport == 1) == 0") == .failed)
        #expect(try status("max(hs.icmp.code) < 5") == .unknown, "attempts are there, and none has one")
    }

    @Test("What may be about nobody has not been seen to hold")
    func perhapsNobody() throws {
        #expect(try Self.judge("all(ip.version == 4 where hs.rtt.total > 1s)", [Records.five[1]]).status == .unknown)
    }

    @Test("An attempt that may be selected makes nothing sure")
    func perhapsSelected() throws {
        var check = RuleCheck(
            [try Rule("any(hs.outcome == refused)"), try Rule("count(hs.failed) == 2")],
            selection: try Predicate("hs.rtt.total < 2s"))
        for record in Records.five { check.take(record) }
        let verdict = check.verdict()
        #expect(verdict.results.map(\.judgement.status) == [.unknown, .unknown])
        #expect(verdict.attempts == 5 && verdict.untold == 2)
    }

    @Test("The frames of all that break it are kept on demand")
    func frames() throws {
        var trial = Trial(try Assertion("none(hs.outcome == refused)"), keepsFrames: true)
        for record in Records.five { trial.take(record) }
        #expect(trial.judgement().frames == Records.five[2].segments.map(\.frame))
    }

    // MARK: Properties

    /// Attempts of simulated worlds: lost, repeated and reordered segments, refusals, resets.
    static let worlds: [[AttemptRecord]] = (1...400).map { seed in
        Oracle(World(seed: UInt64(seed))).scenario().analysed().attempts
    }

    static let conditions = [
        "hs.outcome == established", "hs.rtt.total < 40ms", "hs.setup > 1s or hs.failed", "hs.syn.count > 1",
        "hs.findings contains syn-lost and hs.rtt.total > 10ms", "hs.mss.negotiated < 1400", "known(hs.rtt.total)",
        "hs.arithmetic.ack_ack", "hs.severity >= warning",
    ]

    @Test("all(e) is not any(not e), none(e) is all(not e), for random attempts", arguments: conditions)
    func duality(_ condition: String) throws {
        for records in Self.worlds where !records.isEmpty {
            let all = try Self.judge("all(\(condition))", records).status
            #expect(try Self.judge("not any(not (\(condition)))", records).status == all)
            #expect(try Self.judge("none(not (\(condition)))", records).status == all)
        }
    }

    @Test("count(e) and count(not e) add up, unknown attempts in both", arguments: conditions)
    func counts(_ condition: String) throws {
        for records in Self.worlds where !records.isEmpty {
            let judgement = try Self.judge(
                "count(\(condition)) >= 0 and count(not (\(condition))) >= 0 and ratio(\(condition)) >= 0%", records)
            let (held, not, share) = (
                judgement.figures[0].value, judgement.figures[1].value, judgement.figures[2].value
            )
            let (a, b, ratio) = (try #require(held), try #require(not), try #require(share))
            let total = Double(records.count)
            #expect(a.low + b.high == total && a.high + b.low == total)
            #expect(ratio.low == a.low / total && ratio.high == a.high / total)
        }
    }

    @Test("A percentile lies between its neighbours, and is the same in any order")
    func percentiles() {
        let values = (0..<101).map { Double($0 * $0) }
        for rank in [0.0, 1, 50, 90, 99, 100] {
            #expect(
                AggregateTally.percentile(rank, of: values) == AggregateTally.percentile(rank, of: values.reversed()))
            #expect(AggregateTally.percentile(rank, of: values) == values[Int(rank)])
        }
        #expect(AggregateTally.percentile(50, of: [1, 2]) == 1.5)
        #expect(AggregateTally.percentile(99, of: [7]) == 7)
    }

    /// What an aggregate says of attempts of which some are in doubt is true of every way in which the doubt could end.
    @Test("A ratio's bounds hold whichever way what is unknown turns out")
    func ratioBounds() throws {
        let judgement = try Self.judge("ratio(hs.rtt.total < 50ms where hs.refusal < 1s) >= 0%")
        let bounds = try #require(judgement.figures.first?.value)
        // closed surely belongs and may count; four others may belong: web and v6 would count, lossy and filtered may.
        #expect(bounds == Bounds(0, 1))
    }
}
