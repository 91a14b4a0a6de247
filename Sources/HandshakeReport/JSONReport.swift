package import HandshakeRecord
import PacketWire

/// Records as JSON, version 1 of the schema (docs/schema.json). Frame numbers count from 1; `first_time` is RFC 3339;
/// every other time is integer nanoseconds; unknown is null.
package enum JSONReport {
    package static let schemaVersion = 1

    // MARK: Lines

    package static func line(_ capture: CaptureDescription, to out: inout OutputBuffer) {
        write(to: &out) { $0.object { fields(of: capture, &$0) } }
    }

    /// - Parameter numbering: what the record's frame numbers are.
    package static func line(
        _ record: AttemptRecord, _ numbering: DisplayFilter.Numbering = .oneFile, to out: inout OutputBuffer
    ) {
        write(to: &out) { $0.object { fields(of: record, numbering: numbering, &$0) } }
    }

    package static func line(_ summary: HandshakeSummary, _ loss: CaptureLoss, to out: inout OutputBuffer) {
        write(to: &out) { $0.object { fields(of: summary, loss, &$0) } }
    }

    package static func write(to out: inout OutputBuffer, _ body: (inout JSONWriter) -> Void) {
        out.gather { stage in
            var writer = JSONWriter(stage)
            body(&writer)
            stage = writer.stage
            stage.put(octet: 10)
        }
    }

    // MARK: Objects

    private static func fields(of capture: CaptureDescription, _ json: inout some FieldWriter) {
        json.field("type", "capture")
        json.field("schema", schemaVersion)
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

    package static func fields(
        of record: AttemptRecord, numbering: DisplayFilter.Numbering = .oneFile, _ json: inout some FieldWriter
    ) {
        json.field("type", "attempt")
        json.field("schema", schemaVersion)
        json.field("id", record.id)
        endpoint("client", record.client, &json)
        endpoint("server", record.server, &json)
        if record.tunnels.isEmpty {
            json.null("tunnel")
        } else {
            json.object("tunnel") {
                $0.array("kinds", record.tunnels.names) { $0.element($1) }
                network("network", record.network, &$0)
                if record.serverNetwork != record.network { network("server_network", record.serverNetwork, &$0) }
                path("client", record.clientPath, &$0)
                path("server", record.serverPath, &$0)
            }
        }
        json.object("vlan") {
            $0.array("client", record.clientVLAN) { $0.element($1) }
            $0.array("server", record.serverVLAN) { $0.element($1) }
        }
        json.field("outcome", record.outcome.rawValue)
        json.field("failed_because", record.failedBecause?.rawValue)
        json.field("form", record.form?.rawValue)
        json.field("completed_by", record.completedBy?.rawValue)
        json.field("starts_at", record.startsAtSYN ? "syn" : "syn-ack")
        json.field("ended", record.ended.rawValue)
        json.field("confidence", record.confidence.rawValue)
        json.field("client_isn", record.clientISN)
        json.field("server_isn", record.serverISN)
        json.object("arithmetic") {
            check("syn_ack_ack", record.synAckAck, &$0)
            check("ack_seq", record.ackSeq, &$0)
            check("ack_ack", record.ackAck, &$0)
        }
        json.object("counts") {
            $0.field("syn", record.synCount)
            $0.field("syn_ack", record.synAckCount)
            $0.field("rst", record.rstCount)
            $0.field("refusals", record.refusalCount)
            $0.field("capture_duplicates", record.duplicateCount)
        }
        json.field("first_time", time: record.firstTime)
        roundTrips(record, &json)
        json.field("setup_ns", record.setup)
        json.field("refusal_ns", record.refusal)
        json.object("mss") {
            $0.field("client", record.clientMSS)
            $0.field("server", record.serverMSS)
            $0.field("client_send", record.clientSendMSS)
            $0.field("server_send", record.serverSendMSS)
            $0.field("negotiated", record.negotiatedMSS)
        }
        json.object("options") {
            options("client", record.clientOptions, &$0)
            options("server", record.serverOptions, &$0)
        }
        if let unreachable = record.unreachable {
            json.object("icmp") { icmp(unreachable, &$0) }
        } else {
            json.null("icmp")
        }
        json.array("related", record.related) { $0.element($1) }
        json.field("copy_of", record.copyOf)
        json.array("segments", record.segments) { json, segment in json.object { fields(of: segment, &$0) } }
        json.field("segments_omitted", record.segmentsOmitted)
        json.array("findings", record.findings) { json, finding in json.object { fields(of: finding, &$0) } }
        json.field("display_filter", DisplayFilter.text(record, numbering))
    }

    private static func network(_ name: String, _ network: VirtualNetwork, _ json: inout some FieldWriter) {
        if network == .none { return json.null(name) }
        json.object(name) {
            $0.field("kind", "\(network.kind)")
            $0.field("id", network.id)
        }
    }

    private static func path(_ name: String, _ path: TunnelPath, _ json: inout some FieldWriter) {
        if path.isEmpty { return json.null(name) }
        json.object(name) { json in
            json.array("layers", path.layers) { json, layer in
                json.object {
                    $0.field("kind", layer.tunnel.name)
                    if let identifier = layer.tunnel.identifierName { $0.field(identifier, layer.id) }
                }
            }
            if let outer = path.outer {
                json.object("outer") {
                    $0.field("source", outer.source)
                    $0.field("destination", outer.destination)
                }
            } else {
                json.null("outer")
            }
        }
    }

    private static func endpoint(_ name: String, _ endpoint: Endpoint, _ json: inout some FieldWriter) {
        json.object(name) {
            $0.field("ip", endpoint.address)
            $0.field("port", endpoint.port)
        }
    }

    private static func check(_ name: String, _ check: ArithmeticCheck, _ json: inout some FieldWriter) {
        json.object(name) {
            $0.field("expected", check.expected)
            if let maximum = check.expectedMax { $0.field("expected_max", maximum) }
            $0.field("actual", check.actual)
            $0.field("ok", check.ok)
        }
    }

    private static func roundTrips(_ record: AttemptRecord, _ json: inout some FieldWriter) {
        json.object("rtt") {
            $0.field("syn_to_synack_ns", record.synToSynAck?.nanoseconds)
            $0.field("synack_to_ack_ns", record.synAckToAck?.nanoseconds)
            $0.field("total_ns", record.total?.nanoseconds)
            $0.field("provenance", record.total?.provenance.rawValue)
            $0.field("low_ns", record.total?.low)
            $0.field("high_ns", record.total?.high)
            $0.field("unknown_because", record.unknownBecause?.rawValue)
            $0.object("legs") {
                leg("syn_to_synack", record.synToSynAck, &$0)
                leg("synack_to_ack", record.synAckToAck, &$0)
            }
        }
    }

    private static func leg(_ name: String, _ leg: Interval?, _ json: inout some FieldWriter) {
        guard let leg else { return json.null(name) }
        json.object(name) {
            $0.field("provenance", leg.provenance.rawValue)
            $0.field("low_ns", leg.low)
            $0.field("high_ns", leg.high)
        }
    }

    private static func options(_ name: String, _ options: OfferedOptions?, _ json: inout some FieldWriter) {
        guard let options else { return json.null(name) }
        json.object(name) {
            for entry in OfferedOptions.entries {
                switch entry.reader {
                case .number(let read): $0.field(entry.name, read(options))
                case .truth(let read): $0.field(entry.name, read(options))
                case .word(_, _, let read): $0.field(entry.name, read(options))
                }
            }
            $0.field("from_frame", options.fromFrame)
        }
    }

    private static func icmp(_ report: UnreachableReport, _ json: inout some FieldWriter) {
        json.field("type", report.type)
        json.field("code", report.code)
        json.field("severity", report.severity.rawValue)
        json.field("reporter", report.reporter)
        json.field("frame", report.frame)
    }

    private static func fields(of segment: SegmentRecord, _ json: inout some FieldWriter) {
        json.field("kind", segment.kind.rawValue)
        json.field("from", segment.kind == .icmp ? "network" : segment.fromClient ? "client" : "server")
        json.field("frame", segment.frame)
        if let place = segment.place {
            json.field("file", place.file)
            json.field("file_frame", place.frame)
        }
        json.field("at_ns", segment.at)
        json.field("seq", segment.seq)
        json.field("ack", segment.ack)
        json.field("len", segment.len)
        json.field("flags", segment.kind == .icmp ? "" : segment.flags.description)
        if segment.isDuplicate { json.field("capture_duplicate", true) }
        if let error = segment.icmp { json.object("icmp") { icmp(error, &$0) } }
        if let comment = segment.comment { json.field("comment", comment) }
    }

    private static func fields(of finding: Finding, _ json: inout some FieldWriter) {
        json.field("code", finding.code.rawValue)
        json.field("severity", finding.code.severity.rawValue)
        json.array("frames", finding.frames) { $0.element($1) }
        if finding.expected != nil || finding.actual != nil {
            json.field("expected", finding.expected)
            json.field("actual", finding.actual)
        }
        if let gaps = finding.gaps {
            json.array("gaps_ns", gaps) { $0.element($1) }
            if finding.code == .synRetransmitted { json.field("schedule", finding.schedule?.rawValue) }
        }
        if let location = finding.location { json.field("where", location.rawValue) }
        if let evidence = finding.evidence { json.field("evidence", evidence) }
        if !finding.alternatives.isEmpty { json.array("alternatives", finding.alternatives) { $0.element($1) } }
    }

    private static func fields(of undecoded: UndecodedFrames, _ json: inout some FieldWriter) {
        json.object(undecoded.kind.rawValue) {
            for entry in undecoded.numbers { $0.field(undecoded.text(of: entry.number), entry.count) }
            if undecoded.others > 0 { $0.field("others", undecoded.others) }
        }
    }

    package static func fields(of summary: HandshakeSummary, _ loss: CaptureLoss, _ json: inout some FieldWriter) {
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
