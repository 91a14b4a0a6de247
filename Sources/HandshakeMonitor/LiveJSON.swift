package import HandshakeRecord
package import HandshakeReport
import HandshakeDiagnosis
import PacketWire

/// The service's answers as JSON; attempts are those of every other report (docs/schema.json).
package enum LiveJSON {
    /// The state that the live page draws.
    package static func state(_ snapshot: Monitor.Snapshot, _ capture: CaptureDescription, to out: inout OutputBuffer) {
        let standing = snapshot.standing
        JSONReport.write(to: &out) {
            $0.object {
                $0.field("type", "state")
                $0.field("schema", JSONReport.schemaVersion)
                $0.array("interfaces", capture.files) { $0.element($1.name) }
                $0.field("filter", capture.filter)
                $0.field("started_s", snapshot.started / 1_000_000_000)
                $0.field("open", standing.open)
                $0.array("waiting", standing.waiting.servers.prefix(10)) { json, waiting in
                    json.object {
                        $0.field("ip", waiting.server.address)
                        $0.field("port", waiting.server.port)
                        $0.field("attempts", waiting.attempts)
                        $0.field("syns", waiting.syns)
                        $0.field("answered", waiting.answered)
                        $0.field("refused", waiting.refused)
                        $0.field("rejected", waiting.rejected)
                        $0.field("oldest_ns", waiting.oldest)
                        $0.field("state", waiting.state)
                    }
                }
                $0.array("situations", snapshot.situations) { json, entry in
                    json.object {
                        $0.field("code", entry.situation.code.rawValue)
                        $0.field("severity", entry.situation.code.severity.rawValue)
                        $0.field("sentence", SituationWords(entry.situation).sentence)
                        $0.field("told_s", entry.told / 1_000_000_000)
                    }
                }
                $0.field("waiting_or_more", standing.waiting.isPartial)
                $0.array("waiting_for", standing.waitingFor) { $0.element($1) }
                $0.object("summary") { JSONReport.fields(of: standing.summary, standing.loss, &$0) }
                $0.array("seconds", snapshot.seconds) { json, second in
                    json.object {
                        $0.field("time_s", second.time)
                        $0.field("frames", second.frames)
                        $0.field("attempts", second.attempts)
                        $0.field("failures", second.failures)
                        $0.field("rtt_p50_ns", second.median)
                        $0.field("rtt_p99_ns", second.p99)
                    }
                }
                $0.array("servers", snapshot.servers, party)
                $0.array("clients", snapshot.clients, party)
            }
        }
    }

    private static func party(_ json: inout JSONWriter, _ party: Party) {
        json.object {
            $0.field("name", party.name)
            $0.field("attempts", party.attempts)
            $0.field("failures", party.failures)
            $0.field("syn_retransmitted", party.repeated)
            $0.field("rtt_ns", party.roundTrip)
            $0.field("last_failure", party.lastFailure?.rawValue)
        }
    }

    /// A list of attempts, newest first.
    package static func attempts(_ records: [AttemptRecord], to out: inout OutputBuffer) {
        JSONReport.write(to: &out) {
            $0.object {
                $0.field("type", "attempts")
                $0.field("schema", JSONReport.schemaVersion)
                $0.array("attempts", records) { json, record in
                    json.object { JSONReport.fields(of: record, RecordContext(.noFile), &$0) }
                }
            }
        }
    }
}
