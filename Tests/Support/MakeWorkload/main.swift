import Fixtures
import Foundation

// make-workload KIND COUNT FILE [NUMBER]: writes a capture for measuring. KIND is
//   w1       COUNT connections, NUMBER of them open at a time (10,000)
//   w1-ipv6  the same over IPv6 in a VLAN, as pcapng
//   w1-again the same as w1, but each SYN is repeated NUMBER times (3), and nothing else
//   w1-plain the same as w1, nothing repeated and nothing refused
//   w2       COUNT frames of 1,514 octets in 2,000 connections
//   w3       COUNT SYNs without an answer
let arguments = Array(CommandLine.arguments.dropFirst())
let kinds = ["w1", "w1-ipv6", "w1-again", "w1-plain", "w2", "w3"]
let number = arguments.count == 4 ? Int(arguments[3]) : nil
guard (3...4).contains(arguments.count), kinds.contains(arguments[0]), let count = Int(arguments[1]), count > 0,
    arguments.count == 3 || (number ?? 0) > 0
else {
    FileHandle.standardError.write(
        Data("usage: make-workload \(kinds.joined(separator: "|")) COUNT FILE [NUMBER]\n".utf8))
    exit(2)
}
let path = arguments[2]
_ = FileManager.default.createFile(atPath: path, contents: nil)
let file = try FileHandle(forWritingTo: URL(filePath: path))
var workload = Workload(arguments[0] == "w1-ipv6" ? .modern : .classic) { try file.write(contentsOf: Data($0)) }
switch arguments[0] {
case "w1-plain": try workload.manyConnections(count, open: number ?? 10_000, repeatingSYNs: 0)
case "w2": try workload.bulk(count)
case "w3": try workload.flood(count)
case "w1-again": try workload.manyConnections(count, repeatingSYNs: number ?? 3)
default: try workload.manyConnections(count, open: number ?? 10_000)
}
try file.close()
