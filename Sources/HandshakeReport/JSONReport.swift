package import HandshakeRecord
import PacketWire

/// Records as JSON, version 2 of the schema (docs/records.md). Frame numbers count from 1; `first_time` is RFC 3339;
/// every other time is integer nanoseconds; unknown is null.
package enum JSONReport {
    package static let schemaVersion = AttemptSchema.version

    // MARK: Lines

    package static func line(_ capture: CaptureDescription, to out: inout OutputBuffer) {
        write(to: &out) { $0.object { fields(of: capture, &$0) } }
    }

    package static func line(
        _ record: AttemptRecord, _ context: RecordContext = RecordContext(), to out: inout OutputBuffer
    ) {
        write(to: &out) { $0.object { fields(of: record, context, &$0) } }
    }

    package static func fields(of record: AttemptRecord, _ context: RecordContext, _ json: inout JSONWriter) {
        json.write(AttemptSchema.fields, of: ReportedAttempt(record, context))
    }

    package static func line(_ summary: HandshakeSummary, _ loss: CaptureLoss, to out: inout OutputBuffer) {
        write(to: &out) { $0.object { fields(of: summary, loss, &$0) } }
    }

    package static func write(
        to out: inout OutputBuffer, writesTemplate: Bool = false, _ body: (inout JSONWriter) -> Void
    ) {
        out.gather { stage in
            var writer = JSONWriter(stage, writesTemplate: writesTemplate)
            body(&writer)
            stage = writer.stage
            stage.put(octet: 10)
        }
    }

    // MARK: Objects

    /// The totals of a capture with what it is: one line, which stands beside the attempts.
    package static func line(
        _ summary: HandshakeSummary, _ loss: CaptureLoss, of capture: CaptureDescription, to out: inout OutputBuffer
    ) {
        write(to: &out) { $0.object { write(summary, loss, of: capture, to: &$0) } }
    }

    private static func fields(of capture: CaptureDescription, _ json: inout some FieldWriter) {
        json.field("type", "capture")
        json.field("schema", schemaVersion)
        write(capture, to: &json)
    }

    private static func write(_ capture: CaptureDescription, to json: inout some FieldWriter) {
        json.array("files", capture.files) { json, file in
            json.object {
                $0.field("name", file.name)
                $0.field("format", file.format)
                $0.field("link_type", file.linkType)
                $0.field("snaplen", file.snaplen)
                $0.field("time_resolution_ns", file.timeResolution)
                guard file.format == "pcapng" else { return }
                $0.field("hardware", file.hardware)
                $0.field("system", file.system)
                $0.field("application", file.application)
                $0.array("comments", file.comments) { $0.element($1) }
                $0.array("interfaces", file.interfaces) { json, interface in
                    json.object {
                        $0.field("name", interface.name)
                        $0.field("description", interface.description)
                        $0.field("link_type", interface.linkType)
                        $0.field("snaplen", interface.snaplen)
                        $0.field("time_resolution_ns", interface.timeResolution)
                        $0.array("comments", interface.comments) { $0.element($1) }
                    }
                }
                if file.interfacesOmitted > 0 { $0.field("interfaces_omitted", file.interfacesOmitted) }
            }
        }
        json.field("filter", capture.filter)
        json.field("started", time: capture.started)
    }

    private static func fields(of undecoded: UndecodedFrames, _ json: inout some FieldWriter) {
        json.object(undecoded.kind.rawValue) {
            for entry in undecoded.numbers { $0.field(undecoded.text(of: entry.number), entry.count) }
            if undecoded.others > 0 { $0.field("others", undecoded.others) }
        }
    }

    package static func fields(of summary: HandshakeSummary, _ loss: CaptureLoss, _ json: inout JSONWriter) {
        write(summary, loss, to: &json)
    }

    /// - Parameter capture: what it is; nil where it stands elsewhere.
    static func write(
        _ summary: HandshakeSummary, _ loss: CaptureLoss, of capture: CaptureDescription? = nil,
        to json: inout some FieldWriter
    ) {
        json.field("type", "summary")
        json.field("schema", schemaVersion)
        json.object("frames") {
            $0.field("read", summary.frames.read)
            $0.field("segments", summary.frames.segments)
            $0.object("ignored") { for (name, count) in summary.frames.ignored.sorted(by: <) { $0.field(name, count) } }
            $0.object("malformed") {
                for (name, count) in summary.frames.malformed.sorted(by: <) { $0.field(name, count) }
            }
            $0.field("cut", summary.frames.cut)
            if summary.frames.aggregated > 0 { $0.field("aggregated", summary.frames.aggregated) }
            if summary.frames.looksRaw > 0 { $0.field("looks_raw_ip", summary.frames.looksRaw) }
            let undecoded = summary.frames.undecoded
            if !undecoded.isEmpty { $0.object("undecoded") { for kind in undecoded { fields(of: kind, &$0) } } }
            $0.field("filtered_out", loss.filteredOut)
        }
        json.object("capture") {
            if let capture { write(capture, to: &$0) }
            $0.array("quality", summary.quality) { $0.element($1.code.rawValue) }
            $0.array("notes", summary.quality) { $0.element($1.text) }
        }
        json.object("capture_loss") {
            $0.field("received", loss.received)
            $0.field("kernel_dropped", loss.kernelDropped)
            $0.field("interface_dropped", loss.interfaceDropped)
            $0.field("file_truncated", loss.isTruncated)
            $0.field("records_let_go", loss.unreportedRecords)
            $0.field("frames_let_go", loss.unwrittenFrames)
        }
        json.object("attempts") {
            $0.field("total", summary.attempts)
            $0.field("undecided", summary.undecided)
            $0.object("by_outcome") {
                for outcome in Outcome.allCases {
                    if let n = summary.byOutcome[outcome] { $0.field(outcome.rawValue, n) }
                }
            }
        }
        json.field("midstream_flows", summary.midstreamFlows)
        json.field("evicted", summary.evicted)
        json.field("forgotten_early", summary.forgottenEarly)
        json.field("late_segments", summary.lateSegments)
        json.field("unrelated_icmp_errors", summary.unrelatedICMPErrors)
        json.field("translated_copies", summary.translatedCopies)
        json.field("bad_checksums_ignored", summary.badChecksumsIgnored)
        json.field("clock_steps_back", summary.clockStepsBack)
        json.field("clock_largest_step_back_ns", summary.clockLargestStepBack)
        json.field("clock_steps_forward", summary.clockStepsForward)
        json.field("syn_retransmitted_attempts", summary.retransmittedSYNs)
        json.object("rtt_ns") {
            $0.field("count", summary.roundTrips.count)
            $0.field("min", summary.roundTrips.minimum)
            $0.field("p50", summary.roundTrips.percentile(50))
            $0.field("p90", summary.roundTrips.percentile(90))
            $0.field("p99", summary.roundTrips.percentile(99))
            $0.field("max", summary.roundTrips.maximum)
            $0.field("relative_error", fraction: RoundTripTimes.relativeError)
        }
        json.object("findings") {
            for code in FindingCode.allCases { if let n = summary.findings[code] { $0.field(code.rawValue, n) } }
        }
        json.array("patterns", summary.patterns) { json, pattern in
            json.object {
                $0.field("code", pattern.code.rawValue)
                $0.field("severity", pattern.code.severity.rawValue)
                $0.field("ip", pattern.address)
                $0.field("port", pattern.port)
                $0.field("count", pattern.count)
                $0.field("or_more", pattern.isLowerBound)
                $0.field("established_at_most", pattern.established)
                $0.field("first_time", time: pattern.window?.lowerBound)
                $0.field("last_time", time: pattern.window?.upperBound)
            }
        }
    }
}
