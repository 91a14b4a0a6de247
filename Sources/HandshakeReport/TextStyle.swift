import HandshakeRecord

/// How text looks where it goes: colours on a terminal, plain elsewhere; Unicode or ASCII.
package struct TextStyle: Sendable {
    package var usesColor: Bool
    package var usesUnicode: Bool
    /// Columns.
    package var width: Int
    package var zone: Zone

    package init(usesColor: Bool, usesUnicode: Bool, width: Int, zone: Zone = .utc) {
        self.usesColor = usesColor
        self.usesUnicode = usesUnicode
        self.width = width
        self.zone = zone
    }

    /// The same for text that stands so many columns to the right.
    package func narrower(by columns: Int) -> TextStyle {
        var style = self
        style.width -= columns
        return style
    }

    package enum Color: String {
        case red = "31"
        case green = "32"
        case yellow = "33"
        case dim = "2"
        case bold = "1"
    }

    package func paint(_ text: String, _ color: Color?) -> String {
        guard usesColor, let color else { return text }
        return "\u{1b}[\(color.rawValue)m\(text)\u{1b}[0m"
    }

    /// The same, of what `body` puts.
    func paint(_ color: Color, _ line: inout OutputStage, _ body: (inout OutputStage) -> Void) {
        guard usesColor else { return body(&line) }
        line.put("\u{1b}[")
        line.put(color.rawValue)
        line.put("m")
        body(&line)
        line.put("\u{1b}[0m")
    }
}

extension Severity {
    /// How a situation of it is painted.
    var color: TextStyle.Color? {
        switch self {
        case .error: .red
        case .warning: .yellow
        case .note, .info: nil
        }
    }
}

extension OutputBuffer {
    /// A text beside its heading, wrapped to the width.
    mutating func row(_ heading: String, _ text: String, _ style: TextStyle, _ color: TextStyle.Color? = nil) {
        for (index, words) in text.wrapped(max(40, style.width - 12)).enumerated() {
            line(style.paint((index == 0 ? heading : "").padded(10), .bold) + "  " + style.paint(words, color))
        }
    }
}
