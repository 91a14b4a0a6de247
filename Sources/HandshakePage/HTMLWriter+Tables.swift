import HandshakeReport

/// Tables.
extension HTMLWriter {
    /// `1,000,000`
    static func grouped(_ number: some BinaryInteger) -> String {
        let digits = Array("\(number)")
        var text = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }

    /// A cell that is sorted by its number.
    mutating func cell(_ number: some BinaryInteger) {
        element("td", ["class": "number", "data-value": "\(number)"], HTMLWriter.grouped(number))
    }

    /// The head of a column. A name that begins with # is of numbers.
    mutating func head(_ column: String, isSortable: Bool = false) {
        let isNumber = column.hasPrefix("#")
        let name = String(column.drop { $0 == "#" })
        element("th", ["scope": "col", "class": isNumber ? "number" : "text"]) {
            if isSortable { $0.element("button", ["type": "button"], name) } else { $0.text(name) }
        }
    }

    /// A table that scrolls by itself where the window is narrow.
    /// - Parameters:
    ///   - caption: what stands above it; nil for nothing.
    ///   - columns: their names; `#` before one of numbers.
    mutating func table(
        _ id: String, _ caption: String?, _ columns: [String], isSortable: Bool = false,
        _ rows: (inout HTMLWriter) -> Void
    ) {
        let label = "Table of \(columns[0])s"
        element("div", ["class": "scroll", "tabindex": "0", "role": "region", "aria-label": label]) { html in
            html.element("table", ["id": id, "class": isSortable ? "sortable" : ""]) { html in
                if let caption { html.element("caption", caption) }
                html.element("thead") { html in
                    html.element("tr") { html in
                        for column in columns { html.head(column, isSortable: isSortable) }
                    }
                }
                html.element("tbody") { html in
                    let before = html.out.bytes.count
                    rows(&html)
                    if html.out.bytes.count > before { return }
                    html.element("tr") {
                        $0.element("td", ["colspan": "\(columns.count)", "class": "faint"], "none")
                    }
                }
            }
        }
    }
}
