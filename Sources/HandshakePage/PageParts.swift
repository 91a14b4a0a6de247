import HandshakeReport

/// The page's own style sheet and scripts.
package enum PageParts {
    package static let style = PageFiles.style_css
    /// What pages of reports and of live runs have in common.
    package static let parts = PageFiles.parts_js
    /// The script of a report.
    static let report = PageFiles.report_js

    /// SHA-256 of the style sheet and of the script, in Base64. A browser applies and runs nothing else. A test
    /// compares them with the files.
    static let styleHash = "ft2Cl8b0K0MDZMmd0VsaoUwvhW8csWLRWHG83Z6Vv+s="
    static let scriptHash = "pmM6ciINWfEi4x0Sr4G3bRXyE8GdQAbxzbvzcrEm/CM="

    static let policy =
        "default-src 'none'; script-src 'sha256-\(scriptHash)'; style-src 'sha256-\(styleHash)'; img-src data:; "
        + "base-uri 'none'; form-action 'none'"
}

extension HTMLWriter {
    /// A whole document.
    /// - Parameters:
    ///   - body: what stands before the parts that the script draws.
    ///   - data: JSON that the script reads.
    mutating func page(title: String, body: (inout HTMLWriter) -> Void, data: (inout HTMLWriter) -> Void) {
        raw("<!doctype html>\n")
        element("html", ["lang": "en"]) { html in
            html.element("head") {
                $0.open("meta", ["charset": "utf-8"])
                $0.open("meta", ["http-equiv": "Content-Security-Policy", "content": PageParts.policy])
                $0.open("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
                $0.open("meta", ["name": "referrer", "content": "no-referrer"])
                $0.open("link", ["rel": "icon", "href": "data:,"])
                $0.element("title", title)
                $0.element("style") { $0.raw(PageParts.style) }
            }
            html.element("body") {
                body(&$0)
                $0.element("script", ["type": "application/json", "id": "data"], data)
                $0.element("script") {
                    $0.raw(PageParts.parts)
                    $0.raw("\n")
                    $0.raw(PageParts.report)
                }
            }
        }
    }
}
