/// How text looks where it goes: colours on a terminal, plain elsewhere; Unicode or ASCII.
package struct TextStyle: Sendable {
    package var usesColor: Bool
    package var usesUnicode: Bool
    /// Columns.
    package var width: Int

    package init(usesColor: Bool, usesUnicode: Bool, width: Int) {
        self.usesColor = usesColor
        self.usesUnicode = usesUnicode
        self.width = width
    }

    package enum Color: String {
        case red = "31"
        case green = "32"
        case yellow = "33"
        case blue = "34"
        case dim = "2"
        case bold = "1"
    }

    package func paint(_ text: String, _ color: Color?) -> String {
        guard usesColor, let color else { return text }
        return "\u{1b}[\(color.rawValue)m\(text)\u{1b}[0m"
    }
}
