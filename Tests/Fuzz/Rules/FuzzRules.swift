import FuzzInputs
import HandshakeExpectation
import HandshakeReport

/// A file that `include` may name and that is no rules file. Nothing of it may be told.
private let secret = "root:$6$hunter2:19000:0:99999:7:::\n"

private struct NoFile: Error {}

/// Rules files of any text, divided by zero octets: `rules.yml`, which is read, then `1.yml`, `2.yml` and so on, which
/// it may include. There are no other files but `secret`: nothing is opened.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    let octets = FuzzInput.octets(start, count)
    guard let whole = String(validating: octets, as: UTF8.self) else { return 0 }
    let texts = whole.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
    var reads = 0
    func read(_ path: String) throws -> String {
        reads += 1
        let file = name(path)
        if file == "rules.yml" { return texts[0] }
        if file == "secret" { return secret }
        guard file.hasSuffix(".yml"), let number = Int(file.dropLast(4)), texts.indices.contains(number) else {
            throw NoFile()
        }
        return texts[number]
    }
    let rules: [Rule]
    do {
        // To set a variable that there is not is an error of its own.
        let overrides = whole.contains("port:") ? ["port": "443"] : [:]
        rules = try RulesFile.rules(at: ["rules.yml"], overrides: overrides, identity: name, read: read)
    } catch let error as RulesError {
        let words = error.description.cleaned(for: .message)
        precondition(FuzzInput.isClean(words.utf8), "an error is a clean text")
        precondition(!words.contains("hunter2") || whole.contains("hunter2"), "nothing is told of another file")
        requireBounds(reads)
        return 0
    } catch {
        precondition(error is NoFile, "\(error) is an error of rules")
        requireBounds(reads)
        return 0
    }
    requireBounds(reads)
    precondition(!rules.isEmpty && rules.count <= 10_000, "the number of rules is bounded")
    FuzzInput.judge(rules, choice: count)
    return 0
}

/// What is equal for all paths to one file, as the inode is of real ones.
private func name(_ path: String) -> String {
    path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
}

private func requireBounds(_ reads: Int) { precondition(reads <= 64, "\(reads) files are read") }
