import HandshakeDiagnosis
package import HandshakeRecord
package import HandshakeReport

/// The attempts of a capture as one page of HTML that needs nothing else: what is wrong, what the capture is, figures
/// of all attempts, and the attempts themselves with their ladders. The same input makes the same octets.
package struct HTMLReport: RecordWriter {
    private let zone: Zone
    private let pseudonyms: Pseudonyms?
    private let numbering: DisplayFilter.Numbering
    private var capture = CaptureDescription(files: [], filter: nil, started: nil)
    private var figures = PageFigures()

    package var takesPlain: Bool { true }

    /// - Parameter hidesAddresses: whether addresses have other names, and names of files and comments are left out.
    package init(_ context: RecordContext, zone: Zone, hidesAddresses: Bool) {
        self.zone = zone
        numbering = context.numbering
        pseudonyms = hidesAddresses ? Pseudonyms() : nil
    }

    package mutating func begin(_ capture: CaptureDescription, to out: inout OutputBuffer) { self.capture = capture }

    package mutating func attempt(_ record: AttemptRecord, to out: inout OutputBuffer) { figures.add(record) }

    package mutating func attempt(_ plain: PlainAttempt, record: () -> AttemptRecord, to out: inout OutputBuffer) {
        figures.add(plain, record: record)
    }

    package func end(_ end: ReportEnd, to out: inout OutputBuffer) {
        var data = PageData(zone, span: end.summary.span, numbering, pseudonyms)
        // Situations stand first on the page: their addresses get the first names.
        for situation in end.diagnosis?.situations ?? [] {
            _ = pseudonyms?.replacing(in: SituationWords(situation, zone).sentence)
        }
        let evidence = Set(end.diagnosis?.situations.flatMap(\.evidence) ?? [])
        let document = data.document(figures, evidence: evidence)
        let top = PageTop(
            capture: capture, end: end, figures: figures, listed: data.listed, zone: zone,
            hidesNames: pseudonyms != nil)
        var html = HTMLWriter(pseudonyms)
        html.page(title: "\(top.title): TCP handshakes") {
            top.write(to: &$0)
        } data: {
            $0.raw(json: document)
        }
        out.append(octets: html.out.bytes)
    }
}
