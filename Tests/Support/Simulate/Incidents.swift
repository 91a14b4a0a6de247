import Dispatch
import Foundation
import HandshakeDiagnosis
import Simulation
import Synchronization

/// Counts of the worlds of one kind.
private struct IncidentTally {
    var worlds = 0
    /// Worlds in which it happened to too few connections to be told.
    var faint = 0
    var found = 0
    var scope = 0
    var time = 0
    var right = 0
    var alarms: [String: Int] = [:]
    var wrong: [UInt64] = []

    mutating func count(_ seed: UInt64, _ verdict: IncidentVerdict) {
        worlds += 1
        faint += verdict.isObservable ? 0 : 1
        found += verdict.isFound ? 1 : 0
        scope += verdict.hasRightScope ? 1 : 0
        time += verdict.hasRightTime ? 1 : 0
        right += verdict.isRight ? 1 : 0
        for alarm in verdict.falseAlarms { alarms[alarm.code.rawValue, default: 0] += 1 }
        if !verdict.isRight { wrong.append(seed) }
    }

    mutating func add(_ other: IncidentTally) {
        worlds += other.worlds
        faint += other.faint
        found += other.found
        scope += other.scope
        time += other.time
        right += other.right
        alarms.merge(other.alarms, uniquingKeysWith: +)
        wrong += other.wrong
    }
}

/// Diagnoses so many worlds of each kind, and as many healthy ones as all of them.
/// - Returns: the exit status.
func incidents(from: UInt64, _ seeds: UInt64) -> Int32 {
    let kinds = IncidentWorld.Kind.allCases
    // Behind the kinds, healthy worlds.
    let jobs = (0..<2 * kinds.count).flatMap { kind in (from..<from + seeds).map { (kind, $0) } }
    let tallies = Mutex([IncidentTally](repeating: IncidentTally(), count: kinds.count + 1))
    let began = Date()
    DispatchQueue.concurrentPerform(iterations: jobs.count) { index in
        let (kind, seed) = jobs[index]
        let isHealthy = kind >= kinds.count
        // Healthy worlds have seeds of their own.
        let own = isHealthy ? seed + UInt64(kind) * 1_000_000_007 : seed
        let verdict = IncidentVerdict(IncidentWorld(seed: own, kind: isHealthy ? nil : kinds[kind]))
        tallies.withLock { $0[min(kind, kinds.count)].count(own, verdict) }
    }
    let result = tallies.withLock { $0 }
    print("kind                  worlds   faint   found   scope    time   right  false alarms; wrong seeds")
    for (number, tally) in result.enumerated() {
        let name = number < kinds.count ? kinds[number].rawValue : "healthy"
        let figures = [tally.worlds, tally.faint, tally.found, tally.scope, tally.time, tally.right].map {
            String(repeating: " ", count: max(0, 8 - String($0).count)) + String($0)
        }.joined()
        let alarms = tally.alarms.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        let wrong = tally.wrong.sorted().prefix(5).map(String.init).joined(separator: " ")
        print(name.padding(toLength: 20, withPad: " ", startingAt: 0) + figures + "  \(alarms); \(wrong)")
    }
    printCodes(result.dropLast(), alarms: result.reduce(into: [:]) { $0.merge($1.alarms, uniquingKeysWith: +) })
    let all = result.dropLast().reduce(into: IncidentTally()) { $0.add($1) }
    let healthy = result[kinds.count]
    let recall = Double(all.right) / Double(max(1, all.worlds))
    print(
        "\(all.worlds) incidents, \(all.right) right (\(Int(recall * 1000) / 10) %); \(healthy.worlds) healthy worlds, \(healthy.worlds - healthy.right) with a false alarm; \(Int(Date().timeIntervalSince(began))) s"
    )
    let isRightOften = result.dropLast().allSatisfy { $0.right * 10 >= $0.worlds * 8 }
    return recall >= 0.95 && isRightOften && (healthy.worlds - healthy.right) * 1000 <= healthy.worlds ? 0 : 1
}

/// Prints of each code how often it was said where it held, and how often where it did not.
private func printCodes(_ tallies: ArraySlice<IncidentTally>, alarms: [String: Int]) {
    var found: [String: (worlds: Int, found: Int)] = [:]
    for (kind, tally) in zip(IncidentWorld.Kind.allCases, tallies) {
        guard let code = IncidentWorld(seed: 1, kind: kind).truth?.code.rawValue else { continue }
        let before = found[code] ?? (0, 0)
        // The count of those found has the faint worlds too.
        found[code] = (before.worlds + tally.worlds - tally.faint, before.found + tally.found - tally.faint)
    }
    print("\ncode                    held   found  recall   false  precision")
    for (code, counts) in found.sorted(by: { $0.key < $1.key }) {
        let wrong = alarms[code] ?? 0
        func share(_ part: Int, _ all: Int) -> String {
            all == 0 ? "-" : String(format: "%.1f %%", 100 * Double(part) / Double(all))
        }
        print(
            [
                code.padding(toLength: 22, withPad: " ", startingAt: 0), pad(counts.worlds, 6), pad(counts.found, 8),
                pad(share(counts.found, counts.worlds), 9), pad(wrong, 7),
                pad(share(counts.found, counts.found + wrong), 11),
            ].joined())
    }
    print()
}

private func pad(_ value: some CustomStringConvertible, _ width: Int) -> String {
    let text = value.description
    return String(repeating: " ", count: max(0, width - text.count)) + text
}
