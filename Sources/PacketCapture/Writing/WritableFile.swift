import Glibc

/// Files that are opened to be written.
package enum WritableFile {
    /// Opens a file, emptied or at its end, and makes it where there is none.
    ///
    /// Where others can make files too, a name may lead to a file that is not meant. There, no symbolic link is
    /// followed, and what exists is written only if it is this user's own, or the folder's owner's, and has no other
    /// name. These are the kernel's rules for /tmp (fs.protected_symlinks, fs.protected_regular), whatever its
    /// settings are. For root they count in every folder that others can write to.
    ///
    /// A pipe that nobody reads is an error: to wait for its reader would hold up whoever opens it, in the middle of a
    /// capture too, where somebody puts a pipe in the place of the next file.
    /// - Parameter empties: whether a file loses what is in it.
    package static func open(
        _ path: String, appends: Bool, empties: Bool = true, mode: UInt32
    ) throws(CaptureError) -> Int32 {
        let folder = unsafe Glibc.open(RotatingSavefile.folder(of: path), pathOnly | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure(path) }
        defer { close(folder) }
        var place = stat()
        guard unsafe fstat(folder, &place) == 0 else { throw failure(path) }
        let isShared = isShared(place)
        let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        let flags =
            O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (appends ? O_APPEND : 0)
            | (isShared ? O_NOFOLLOW : 0)
        // A path that ends in a slash is a folder's.
        let descriptor = unsafe openat(folder, name.isEmpty ? "." : String(name), flags, mode)
        guard descriptor >= 0 else {
            let code = errno
            if isShared, code == ELOOP { throw refusal(path, "is a symbolic link") }
            var target = stat()
            if code == ENXIO, unsafe fstatat(folder, String(name), &target, 0) == 0, target.st_mode & S_IFMT == S_IFIFO
            {
                throw CaptureError(
                    .unreadable, path, "is a pipe that nobody reads",
                    advice: "Start its reader first, or name a file")
            }
            throw failure(path, code)
        }
        // Only opening it is not to wait: what is written waits for a slow reader, as for a slow disk.
        _ = fcntl(descriptor, F_SETFL, appends ? O_APPEND : 0)
        var file = stat()
        guard unsafe fstat(descriptor, &file) == 0 else {
            defer { close(descriptor) }
            throw failure(path)
        }
        let isRegular = file.st_mode & S_IFMT == S_IFREG
        if isShared, file.st_uid != geteuid() && file.st_uid != place.st_uid || isRegular && file.st_nlink > 1 {
            close(descriptor)
            throw refusal(path, file.st_nlink > 1 ? "has a second name" : "is another user's")
        }
        if isRegular, empties, !appends, ftruncate(descriptor, 0) != 0 {
            defer { close(descriptor) }
            throw failure(path)
        }
        return descriptor
    }

    /// O_PATH: the folder need not be readable.
    private static let pathOnly: Int32 = 0o10_000_000

    /// Whether others than this user, and root, can make files in a folder.
    private static func isShared(_ folder: stat) -> Bool {
        let isOpenToAll = folder.st_mode & (S_ISVTX | S_IWOTH) == S_ISVTX | S_IWOTH
        return isOpenToAll || geteuid() == 0 && (folder.st_uid != 0 || folder.st_mode & (S_IWGRP | S_IWOTH) != 0)
    }

    /// The words for an errno of a file.
    static func failure(_ path: String, _ code: Int32 = errno) -> CaptureError {
        let kind: CaptureError.Kind = code == EACCES || code == EPERM ? .notPermitted : .unreadable
        return CaptureError(kind, path, "cannot be written: \(systemMessage(code))")
    }

    private static func refusal(_ path: String, _ words: String) -> CaptureError {
        CaptureError(
            .unreadable, path, "\(words), in a folder where others can make files: it is not written to",
            advice: "Remove it, or name another file")
    }
}
