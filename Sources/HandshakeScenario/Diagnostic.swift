/// A line of a scenario's text.
package struct SourceLine: Sendable, Hashable {
    /// From 1.
    package var number: Int
    package var text: String

    package init(number: Int, text: String) {
        self.number = number
        self.text = text
    }
}

/// A fault of a scenario, or of its analysis, with the line and a caret under the place.
package struct Diagnostic: Error, Sendable, CustomStringConvertible {
    package var scenario: String
    package var source: SourceLine?
    /// Characters from the line's start, from 1; nil where the whole line is meant.
    package var column: Int?
    package var message: String

    /// Characters of a line that are shown.
    private static let maximumLineLength = 500

    package var description: String {
        var place = scenario
        if let source {
            place += ":\(source.number)"
            if let column { place += ":\(column)" }
        }
        var text = "\(place): " + (message.count > 500 ? message.prefix(500) + "..." : message[...])
        if let source {
            let margin = String(repeating: " ", count: "\(source.number)".count)
            let isLong = source.text.count > Diagnostic.maximumLineLength
            text +=
                "\n  \(source.number) | "
                + (isLong ? source.text.prefix(Diagnostic.maximumLineLength) + "..." : source.text[...])
            if let column, column <= Diagnostic.maximumLineLength {
                // Tabs are kept, so that the caret stands below its character.
                let before = String(source.text.prefix(column - 1).map { $0 == "\t" ? Character("\t") : " " })
                text += "\n  \(margin) | \(before)^"
            }
        }
        return text
    }
}

/// Everything that is wrong with a scenario's text, in the order of its lines.
package struct ScenarioErrors: Error, Sendable, CustomStringConvertible {
    package var diagnostics: [Diagnostic]
    package var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}
