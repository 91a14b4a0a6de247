package import HandshakeReport

/// Writes HTML. Names of elements and attributes are the program's own; every text goes through `text`, which is where
/// it is cleaned, and where addresses get other names.
package struct HTMLWriter {
    private(set) var out = OutputBuffer()
    private let pseudonyms: Pseudonyms?

    package typealias Attributes = KeyValuePairs<StaticString, String>

    package init(_ pseudonyms: Pseudonyms? = nil) { self.pseudonyms = pseudonyms }

    /// Text from anywhere.
    package mutating func text(_ text: String) {
        out.append((pseudonyms?.replacing(in: text) ?? text).cleaned(for: .xml))
    }

    /// An element with what is written within it.
    package mutating func element(
        _ name: StaticString, _ attributes: Attributes = [:], _ content: (inout HTMLWriter) -> Void
    ) {
        open(name, attributes)
        content(&self)
        out.append("</")
        out.append(name)
        out.append(">")
        switch "\(name)" {
        case "a", "b", "code", "span", "th", "td", "dt": break
        default: out.append("\n")
        }
    }

    /// An element with a text.
    package mutating func element(_ name: StaticString, _ attributes: Attributes, _ text: String) {
        element(name, attributes) { $0.text(text) }
    }

    /// An element with a text, and without attributes.
    package mutating func element(_ name: StaticString, _ text: String) { element(name, [:], text) }

    /// The start of an element, or one that has no end.
    package mutating func open(_ name: StaticString, _ attributes: Attributes = [:]) {
        out.append("<")
        out.append(name)
        for (key, value) in attributes {
            out.append(" ")
            out.append(key)
            out.append("=\"")
            text(value)
            out.append("\"")
        }
        out.append(">")
    }

    /// Markup, or a script: the page's own parts.
    mutating func raw(_ text: StaticString) { out.append(text) }

    /// JSON without markup.
    mutating func raw(json octets: [UInt8]) { out.append(octets: octets) }
}
