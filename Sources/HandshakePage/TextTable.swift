import HandshakeReport

/// Texts of a page, each once: its script has them by their numbers.
struct TextTable {
    private let pseudonyms: Pseudonyms?
    private var places: [String: Int] = [:]
    /// As they go out.
    private(set) var texts: [String] = []
    /// Octets that they take, about.
    private(set) var size = 0

    init(_ pseudonyms: Pseudonyms?) { self.pseudonyms = pseudonyms }

    /// The number of a text.
    mutating func number(_ text: String) -> Int {
        if let place = places[text] { return place }
        let shown = (pseudonyms?.replacing(in: text) ?? text).cleaned(for: .node)
        places[text] = texts.count
        texts.append(shown)
        size += shown.utf8.count + 3
        return texts.count - 1
    }
}
