import Foundation
package import HandshakeDiagnosis

/// Reads what `synscope diagnose -T json` or `-T jsonl` wrote.
package enum EarlierDiagnosis {
    private struct Line: Decodable {
        var type: String
        var code: String?
        var servers: String?
        var ports: [UInt16]?
        var clients: String?
        var attempts: Int?
        var affected: Int?
        var sentence: String?
        var situations: [Line]?

        var situation: EarlierSituation? {
            guard type == "situation", let code, let ports, let attempts, let affected else { return nil }
            return EarlierSituation(
                code: code, servers: servers, ports: ports, clients: clients, attempts: attempts, affected: affected,
                sentence: sentence ?? code)
        }
    }

    /// - Throws: `JSONLinesError`, which names the line.
    package static func read(_ octets: [UInt8]) throws(JSONLinesError) -> [EarlierSituation] {
        var lines = JSONLines()
        var found: [EarlierSituation] = []
        func take(_ lines: borrowing JSONLines, _ line: Data) throws(JSONLinesError) {
            guard let line = lines.decode(Line.self, line), line.type == "diagnosis" || line.type == "situation" else {
                throw lines.error("this is no output of synscope diagnose -T json or jsonl")
            }
            for entry in line.situations ?? [line] where entry.type == "situation" {
                guard let situation = entry.situation else {
                    throw lines.error("the situation lacks its code, ports or counts")
                }
                found.append(situation)
            }
        }
        try lines.take(octets[...], take)
        try lines.endLine(take)
        return found
    }
}
