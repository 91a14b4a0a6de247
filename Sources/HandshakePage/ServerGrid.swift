import HandshakeRecord
import PacketWire

/// Attempts and failures of each server over time. Of more servers than are kept, half are let go: those with the
/// fewest failures.
struct ServerGrid {
    struct Row {
        let server: Endpoint
        var attempts = 0
        var failed = 0
        /// By the step's number.
        var cells: [Int64: Cell] = [:]

        mutating func widen(by ratio: Int64) {
            var wider: [Int64: Cell] = [:]
            for (number, cell) in cells {
                wider[TimeSteps.wider(number, ratio), default: Cell()].attempts += cell.attempts
                wider[TimeSteps.wider(number, ratio), default: Cell()].failed += cell.failed
            }
            cells = wider
        }
    }

    struct Cell {
        var attempts = 0
        var failed = 0
    }

    private static let maximumRows = 4000
    private(set) var steps = TimeSteps(maximum: 60)
    private var rows: [Row] = []
    private var places: [Endpoint: Int] = [:]

    mutating func add(_ server: Endpoint, at time: Int64, failed: Bool) {
        let (step, ratio) = steps.step(holding: time)
        if ratio > 1 { for place in rows.indices { rows[place].widen(by: ratio) } }
        let place = place(of: server)
        rows[place].attempts += 1
        rows[place].cells[step, default: Cell()].attempts += 1
        guard failed else { return }
        rows[place].failed += 1
        rows[place].cells[step, default: Cell()].failed += 1
    }

    private mutating func place(of server: Endpoint) -> Int {
        if let place = places[server] { return place }
        if rows.count == ServerGrid.maximumRows {
            rows = Array(sorted.prefix(ServerGrid.maximumRows / 2))
            places = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($0.element.server, $0.offset) })
        }
        places[server] = rows.count
        rows.append(Row(server: server))
        return rows.count - 1
    }

    /// The servers with the most failures first; of equals, the one with more attempts.
    private var sorted: [Row] {
        rows.sorted {
            ($0.failed, $0.attempts, $1.server.address, $1.server.port)
                > ($1.failed, $1.attempts, $0.server.address, $0.server.port)
        }
    }

    /// Those that failed at all, the worst first.
    func worst(_ maximum: Int) -> [Row] { Array(sorted.prefix { $0.failed > 0 }.prefix(maximum)) }
}
