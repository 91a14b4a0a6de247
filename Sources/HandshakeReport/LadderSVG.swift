package import HandshakeRecord

/// The ladder diagram of one attempt as a document of SVG.
package struct LadderSVG {
    private let drawing: LadderDrawing

    package init(_ record: AttemptRecord, zone: Zone = .utc) { drawing = LadderDrawing(record, zone: zone) }

    /// The whole document.
    package func document() -> [UInt8] {
        let (width, height) = (LadderDrawing.width, drawing.height)
        var out = OutputBuffer()
        out.line(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(width) \(height)\" role=\"img\" "
                + "aria-labelledby=\"title description\">")
        out.line("<title id=\"title\">\(drawing.title.cleaned(for: .xml))</title>")
        out.line("<desc id=\"description\">\(drawing.description.cleaned(for: .xml))</desc>")
        out.line("<style>\(LadderSVG.style)</style>")
        out.line("<rect class=\"paper\" width=\"\(width)\" height=\"\(height)\"/>")
        for element in drawing.elements { out.line(LadderSVG.markup(element)) }
        out.line("</svg>")
        return out.bytes
    }

    private static let style = """
        .paper{fill:#fff}.rail{stroke:#8c959f;stroke-width:1.5}.cut{stroke:#fff;stroke-width:6}\
        path{fill:none;stroke:#0860ca;stroke-width:1.6}path.lost{stroke:#8a5300}path.reset{stroke:#b3261e}\
        path.again{stroke:#6e7781}path.unseen{stroke:#8a5300}\
        path.unseen,path.again,path.icmp{stroke-dasharray:5 4}\
        text{font:12px ui-sans-serif,system-ui,sans-serif;fill:#1b1f24;font-variant-numeric:tabular-nums}\
        .head{font-weight:600;font-size:14px}.faint{fill:#57606a}\
        .right{fill:#1a7036}.wrong{fill:#b3261e}.warn{fill:#8a5300}\
        @media(prefers-color-scheme:dark){.paper{fill:#0f1318}.rail{stroke:#6e7781}.cut{stroke:#0f1318}\
        path{stroke:#6cb0ff}\
        path.lost,path.unseen{stroke:#e8b35a}path.reset{stroke:#ff8f87}path.again{stroke:#a3adb9}text{fill:#e6eaef}\
        .faint{fill:#a3adb9}.right{fill:#6fd08c}.wrong{fill:#ff8f87}.warn{fill:#e8b35a}}
        """

    private static func markup(_ element: LadderDrawing.Element) -> String {
        func marks(_ kind: String) -> String { kind.isEmpty ? "" : " class=\"\(kind)\"" }
        switch element {
        case .text(let text, let place):
            let anchor = place.endsThere ? " text-anchor=\"end\"" : ""
            return "<text x=\"\(place.x)\" y=\"\(place.y)\"\(marks(place.kind))\(anchor)>"
                + "\(text.cleaned(for: .xml))</text>"
        case .line(let line):
            let (start, end) = (
                "x1=\"\(line.from.x)\" y1=\"\(line.from.y)\"", "x2=\"\(line.to.x)\" y2=\"\(line.to.y)\""
            )
            return "<line\(marks(line.kind)) \(start) \(end)/>"
        case .arrow(let line, let hasHead):
            let back = line.from.x < line.to.x ? -9 : 9
            let head = hasHead ? "m\(back) -5l\(-back) 5l\(back) 3" : ""
            return "<path\(marks(line.kind)) d=\"M\(line.from.x) \(line.from.y)L\(line.to.x) \(line.to.y)\(head)\"/>"
        }
    }
}
