import HandshakeExpectation
import HandshakeRecord
import HandshakeReport
import PacketWire

/// Where the script draws, and tables of servers and clients.
extension PageTop {
    func writeTimeline(to html: inout HTMLWriter) {
        section("time", "When", to: &html) { html in
            html.element("div", ["class": "toolbar", "id": "zoom"]) {
                for (action, name) in [
                    ("earlier", "Earlier"), ("later", "Later"), ("in", "Zoom in"), ("out", "Zoom out"), ("all", "All"),
                ] {
                    $0.element("button", ["type": "button", "data-zoom": action], name)
                }
                $0.element("span", ["id": "zoomed", "role": "status"], "")
            }
            html.element("figure") {
                $0.element("figcaption") { $0.element("span", "Attempts by outcome. Drag to zoom.") }
                $0.element("div", ["id": "attempts-chart", "class": "chart"], "")
                $0.element("ul", ["id": "attempts-key", "class": "key"]) { _ in }
            }
            html.element("figure") {
                $0.element("figcaption", "Handshake round trip: median, 90 % and 99 % within")
                $0.element("div", ["id": "rtt-chart", "class": "chart"], "")
                $0.element("ul", ["id": "rtt-key", "class": "key"]) { _ in }
            }
            html.element("figure") {
                $0.element("figcaption", "Attempts that lost a segment, and whose SYN was sent again")
                $0.element("div", ["id": "loss-chart", "class": "chart low"], "")
                $0.element("ul", ["id": "loss-key", "class": "key"]) { _ in }
            }
            html.element("figure") {
                $0.element("figcaption", "Failures of each server over time: the share of its attempts that failed")
                $0.element("div", ["id": "grid", "class": "chart"], "")
            }
            html.element("noscript") {
                $0.element(
                    "p",
                    "The pictures and the list of attempts are drawn by this page's script, which does not run here.")
            }
        }
    }

    func writeTables(to html: inout HTMLWriter) {
        section("servers", "Servers", to: &html) { write(figures.servers, "server", to: &$0) }
        section("clients", "Clients", to: &html) { write(figures.clients, "client", to: &$0) }
    }

    private func write(_ groups: GroupTable, _ name: String, to html: inout HTMLWriter) {
        let rows = groups.sorted(by: .failed, top: PageFigures.tableRows)
        html.table(
            "\(name)-table", nil,
            [
                name, "#attempts", "#failed", "#share", "#SYN resent", "#RTT median", "#RTT 99 %", "first failure",
                "last failure", "why",
            ],
            isSortable: true
        ) { html in
            for group in rows { write(group, named: groups.text(group.key), to: &html) }
        }
        if groups.count > rows.count {
            html.element(
                "p", ["class": "faint"], "\(groups.count - rows.count) more are not listed: synscope group lists them.")
        }
        if groups.evictedGroups > 0 {
            html.element(
                "p", ["class": "faint"],
                "\(groups.evictedGroups) found no room; counts of those that came later are lower bounds.")
        }
    }

    private func write(_ group: AttemptGroup, named parts: [String], to html: inout HTMLWriter) {
        let name =
            parts.count < 2
            ? parts[0] : parts[0].contains(":") ? "[\(parts[0])]:\(parts[1])" : parts.joined(separator: ":")
        func time(_ nanoseconds: Int64?, to html: inout HTMLWriter) {
            html.element("td", ["data-value": nanoseconds.map(String.init) ?? ""], nanoseconds.map(second) ?? "")
        }
        func duration(_ nanoseconds: Int64?, to html: inout HTMLWriter) {
            html.element(
                "td", ["class": "number", "data-value": nanoseconds.map(String.init) ?? ""],
                nanoseconds.map(Format.duration) ?? "")
        }
        html.element("tr") { html in
            html.element("td", name)
            html.cell(group.attempts)
            html.cell(group.failed)
            let share = group.failedShare
            html.element(
                "td", ["class": "number", "data-value": share.map { "\($0)" } ?? ""],
                share.map { Format.fixed($0 * 100, 1) + " %" } ?? "")
            html.cell(group.retransmitted)
            duration(group.total.quantile(0.5), to: &html)
            duration(group.total.quantile(0.99), to: &html)
            time(group.firstFailure, to: &html)
            time(group.lastFailure, to: &html)
            html.element("td", group.byReason.map { "\($0.reason.text): \($0.count)" }.joined(separator: ", "))
        }
    }

    /// A time to the second; without its day where the capture has one.
    private func second(_ nanoseconds: Int64) -> String {
        guard let span = end.summary.span, zone.isOneDay(span.lowerBound, span.upperBound) else {
            return zone.dateAndSecond(nanoseconds)
        }
        return String(zone.clock(nanoseconds).prefix(8))
    }

    func writeRoundTrips(to html: inout HTMLWriter) {
        section("rtt", "Round trips", to: &html) { html in
            html.element("figure") {
                $0.element(
                    "figcaption",
                    "Round trips by leg, on a scale of powers of ten. Those with bounds alone are not here.")
                $0.element("div", ["id": "legs", "class": "chart"], "")
                $0.element("ul", ["id": "legs-key", "class": "key"]) { _ in }
            }
        }
    }

    func writeAttempts(to html: inout HTMLWriter) {
        section("attempts", "Attempts", to: &html) { html in
            let all = AttemptChoice.Rank.allCases.reduce(0) { $0 + figures.choice.count($1) }
            if listed.count < all {
                html.element(
                    "p", ["class": "quality"],
                    "\(listed.count) of \(all) attempts are listed, failures first: some of each server and outcome, "
                        + "and of the rest those that are spread evenly over the capture. synscope -T jsonl writes all."
                )
            }
            html.element("form", ["id": "filters", "class": "toolbar", "role": "search"]) { html in
                html.element("label") {
                    $0.text("Text ")
                    $0.open(
                        "input",
                        [
                            "type": "search", "id": "text", "autocomplete": "off",
                            "placeholder": "address, port, finding",
                        ])
                }
                for (id, name) in [("outcome", "Outcome"), ("finding", "Finding"), ("server", "Server")] {
                    html.element("label") {
                        $0.text("\(name) ")
                        $0.element("select", ["id": id]) { $0.element("option", ["value": ""], "all") }
                    }
                }
                html.element("span", ["id": "shown", "role": "status"], "")
            }
            html.element(
                "div", ["class": "scroll", "tabindex": "0", "role": "region", "aria-label": "Table of attempts"]
            ) { html in
                html.element("table", ["id": "list"]) { html in
                    html.element("thead") { html in
                        html.element("tr") { html in
                            for column in [
                                "attempt", "time", "outcome", "client", "server", "#RTT", "#MSS", "findings",
                            ] {
                                html.head(column)
                            }
                        }
                    }
                    html.element("tbody") { _ in }
                }
            }
            html.element("p") { $0.element("button", ["type": "button", "id": "more"], "Show more") }
        }
    }
}
