import HandshakeRecord
import HandshakeDiagnosis
package import HandshakeReport

/// A snapshot in Prometheus' text format, version 0.0.4: base units, no address in any label.
package enum Metrics {
    package static func text(_ snapshot: Monitor.Snapshot, release: String, to out: inout OutputBuffer) {
        let standing = snapshot.standing
        let summary = standing.summary
        func family(_ name: String, _ type: String, _ help: String) {
            out.line("# HELP synscope_\(name) \(help)")
            out.line("# TYPE synscope_\(name) \(type)")
        }
        func sample(_ name: String, _ label: (String, String)? = nil, _ value: some CustomStringConvertible) {
            let labels = label.map { "{\($0.0)=\"\($0.1)\"}" } ?? ""
            out.line("synscope_\(name)\(labels) \(value)")
        }

        family("build_info", "gauge", "The program's release; always 1.")
        sample("build_info", ("version", release), 1)
        family("start_time_seconds", "gauge", "When this run began, in seconds since the epoch.")
        sample("start_time_seconds", nil, seconds(snapshot.started))

        family("attempts_total", "counter", "Connection attempts decided, by outcome.")
        for outcome in Outcome.allCases {
            sample("attempts_total", ("outcome", outcome.rawValue), summary.byOutcome[outcome] ?? 0)
        }
        family("open_attempts", "gauge", "Connection attempts that are followed and not decided.")
        sample("open_attempts", nil, standing.open)
        family("waiting_attempts", "gauge", "Open attempts that wait for an answer or the final ACK, by least age.")
        for (age, count) in zip(WaitingAttempts.ages, standing.waiting.byAge) {
            sample("waiting_attempts", ("seconds", "\(age)"), count)
        }
        family("findings_total", "counter", "Attempts with a finding, by its code.")
        for code in FindingCode.allCases where summary.findings[code] != nil {
            sample("findings_total", ("code", code.rawValue), summary.findings[code] ?? 0)
        }
        family("patterns", "gauge", "Patterns that the attempts so far show together, by code.")
        for code in [FindingCode.synFlood, .portScan, .backscatter] {
            sample("patterns", ("code", code.rawValue), summary.patterns.count { $0.code == code })
        }

        family("situations", "gauge", "Situations that last (synscope explain), by code.")
        for code in SituationCode.allCases where code.severity != .info {
            sample("situations", ("code", code.rawValue), snapshot.situations.count { $0.situation.code == code })
        }

        family("handshake_rtt_seconds", "histogram", "Handshake round trips that are known, at the capture point.")
        var below: UInt64 = 0
        for (bound, count) in zip(RoundTripBuckets.bounds, snapshot.roundTrips.counts) {
            below += count
            sample("handshake_rtt_seconds_bucket", ("le", seconds(bound)), below)
        }
        below += snapshot.roundTrips.counts[RoundTripBuckets.bounds.count]
        sample("handshake_rtt_seconds_bucket", ("le", "+Inf"), below)
        sample("handshake_rtt_seconds_sum", nil, seconds(snapshot.roundTrips.sum))
        sample("handshake_rtt_seconds_count", nil, below)

        family("frames_total", "counter", "Frames analysed, by what they were.")
        sample("frames_total", ("kind", "segment"), summary.frames.segments)
        sample("frames_total", ("kind", "ignored"), summary.frames.ignored.values.reduce(0, +))
        sample("frames_total", ("kind", "malformed"), summary.frames.malformed.values.reduce(0, +))
        sample("frames_total", ("kind", "cut"), summary.frames.cut)
        family("received_frames_total", "counter", "Frames that passed the kernel's filter, dropped ones included.")
        sample("received_frames_total", nil, standing.loss.received ?? 0)
        family("dropped_frames_total", "counter", "Frames lost before they could be analysed, by where.")
        sample("dropped_frames_total", ("by", "kernel"), standing.loss.kernelDropped ?? 0)
        sample("dropped_frames_total", ("by", "interface"), standing.loss.interfaceDropped ?? 0)
        family("unreported_attempts_total", "counter", "Attempts that a slow reader of standard output did not take.")
        sample("unreported_attempts_total", nil, standing.loss.unreportedRecords)
        family("unwritten_frames_total", "counter", "Handshake frames that are not in the file of -w.")
        sample("unwritten_frames_total", nil, standing.loss.unwrittenFrames)
        family("savefile_failing", "gauge", "Whether the file of -w cannot be written, or the next one not begun.")
        sample("savefile_failing", nil, snapshot.savefile.isFailing ? 1 : 0)
        family("savefile_failures_total", "counter", "How often the file of -w began to fail.")
        sample("savefile_failures_total", nil, snapshot.savefile.failures)
        family("evicted_attempts_total", "counter", "Attempts decided early since the table was full.")
        sample("evicted_attempts_total", nil, summary.evicted)
        family("interfaces_waited_for", "gauge", "Interfaces that went away and have not come back.")
        sample("interfaces_waited_for", nil, standing.waitingFor.count)
    }

    /// Nanoseconds as seconds, exactly.
    private static func seconds(_ nanoseconds: Int64) -> String {
        let digits = String(nanoseconds % 1_000_000_000)
        var fraction = String(repeating: "0", count: 9 - digits.count) + digits
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return "\(nanoseconds / 1_000_000_000)" + (fraction.isEmpty ? "" : ".\(fraction)")
    }
}
