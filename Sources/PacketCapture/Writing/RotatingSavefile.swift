import Glibc

/// Writes blocks to a file, or to a sequence of files by size or age. Each write is of whole blocks, so that what is
/// there at any moment can be read.
///
/// A sequence's names carry a number before their suffix, `name-00001.pcapng`, that goes on from what is in the folder.
///
/// Once the first file is there, what fails is tried again: where the next file cannot be begun, blocks go to the
/// last one.
package struct RotatingSavefile: ~Copyable {
    package struct Rotation: Sendable {
        /// Octets after which the next file begins; nil for no limit.
        package var size: Int?
        /// Nanoseconds after which the next file begins; nil for no limit.
        package var age: Int64?
        /// The most files to keep; the oldest are removed. Nil keeps all.
        package var files: Int?
        package init() {}
        package var isNeeded: Bool { size != nil || age != nil }
    }

    /// The file that is to be begun: the next of the sequence, or the same name once more.
    private enum Due { case next, again }
    /// Nanoseconds between two tries to begin one.
    private static let patience: UInt64 = 1_000_000_000

    private let path: String
    private let header: [UInt8]
    private let rotation: Rotation
    private var descriptor: Int32 = -1
    private var size = 0
    /// Where the last whole block ends, if what is behind it could not be cut off.
    private var torn: off_t?
    private var due: Due?
    private var lastTry: Int64?
    private var opened: Int64 = 0
    private var number = 0
    /// The numbers of the files there are, oldest first.
    private var numbers: [Int] = []
    /// The fault at the moment: the next file cannot be begun, or the open one not written.
    package private(set) var trouble: CaptureError?

    /// Opens the first file.
    /// - Parameters:
    ///   - header: what each file begins with.
    ///   - now: nanoseconds since the epoch.
    package init(path: String, header: [UInt8], rotation: Rotation, now: Int64) throws(CaptureError) {
        self.path = path
        self.header = header
        self.rotation = rotation
        if rotation.isNeeded {
            numbers = existing()
            number = numbers.last ?? 0
        }
        try openFile(now: now, truncating: true)
    }

    deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

    /// The folder that files are made in.
    package static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func parts(of path: String) -> (stem: Substring, suffix: Substring) {
        let name = path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...]
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return (path[...], "") }
        return (path[..<dot], path[dot...])
    }

    private func name(_ number: Int) -> String {
        guard rotation.isNeeded else { return path }
        let (stem, suffix) = RotatingSavefile.parts(of: path)
        let digits = String(number)
        return "\(stem)-\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits)\(suffix)"
    }

    private func existing() -> [Int] {
        guard let folder = unsafe opendir(RotatingSavefile.folder(of: path)) else { return [] }
        defer { unsafe closedir(folder) }
        var found: [Int] = []
        while let entry = unsafe readdir(folder) {
            let file = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            let digits = file.split(separator: "-").last?.prefix { $0.isASCII && $0.isNumber } ?? ""
            if let number = Int(digits), name(number).split(separator: "/").last.map(String.init) == file {
                found.append(number)
            }
        }
        return found.sorted()
    }

    private mutating func openFile(now: Int64, truncating: Bool) throws(CaptureError) {
        let path = name(number + 1)
        let next = try WritableFile.open(path, appends: !truncating, mode: 0o644)
        let code = RotatingSavefile.put(header, to: next).code
        guard code == 0 else {
            Glibc.close(next)
            throw WritableFile.failure(path, code)
        }
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = next
        opened = now
        size = header.count
        torn = nil
        if rotation.isNeeded {
            number += 1
            numbers.append(number)
            while let maximum = rotation.files, numbers.count > maximum { unsafe unlink(name(numbers.removeFirst())) }
        }
    }

    /// Begins the file that is due, if that was not tried a moment ago.
    private mutating func beginDue(now: Int64) {
        guard let due, lastTry.map({ (now &- $0).magnitude >= RotatingSavefile.patience }) ?? true else { return }
        do throws(CaptureError) {
            try openFile(now: now, truncating: due == .next)
            self.due = nil
            lastTry = nil
        } catch {
            lastTry = now
            trouble = error
        }
    }

    /// Writes whole blocks. Where it throws, none of them is in the file, and the next ones may be.
    package mutating func write(_ blocks: [UInt8], now: Int64) throws(CaptureError) {
        let isFull = rotation.size.map { size > header.count && size + blocks.count > $0 } ?? false
        let isOld = rotation.age.map { now &- opened >= $0 } ?? false
        if isFull || isOld, due == nil { due = .next }
        beginDue(now: now)
        if let end = torn {
            guard ftruncate(descriptor, end) == 0, lseek(descriptor, end, SEEK_SET) == end else {
                throw WritableFile.failure(name(number))
            }
            torn = nil
        }
        let (code, end) = RotatingSavefile.put(blocks, to: descriptor)
        torn = end
        guard code == 0 else {
            let error = WritableFile.failure(name(number), code)
            trouble = error
            throw error
        }
        size += blocks.count
        if due == nil { trouble = nil }
    }

    /// Closes the file and opens it anew: by its name, which may stand for another file now. One that is still there
    /// goes on with a section of its own. Until the new one can be opened, the open one goes on.
    package mutating func reopen(now: Int64) {
        due = .again
        lastTry = nil
        beginDue(now: now)
        if due == nil { trouble = nil }
    }

    /// Writes all of some octets, or nothing.
    /// - Returns: 0 or errno; and where the file is to be cut off, if it has some of them and could not be.
    private static func put(_ octets: [UInt8], to descriptor: Int32) -> (code: Int32, torn: off_t?) {
        let end = lseek(descriptor, 0, SEEK_END)
        var rest = octets[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
                continue
            }
            if errno == EINTR { continue }
            let code = errno
            // A pipe has no end to go back to.
            if end < 0 || rest.count == octets.count { return (code, nil) }
            return (code, ftruncate(descriptor, end) == 0 && lseek(descriptor, end, SEEK_SET) == end ? nil : end)
        }
        return (0, nil)
    }
}
