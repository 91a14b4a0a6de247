import CLinux
import Glibc
import Synchronization

/// A program that a person pages through the output with, as git starts one: `SYNSCOPE_PAGER`, else `PAGER`, else less.
enum Pager {
    private static let process = Mutex<pid_t?>(nil)

    /// Puts a pager between standard output and the terminal that it is. Nothing happens where it is none, where the
    /// user wants no pager, or where none can be started.
    ///
    /// To be called before rights are given up: nothing can be started after that.
    static func start() {
        guard Terminal.isTerminal(STDOUT_FILENO), Terminal.environment("TERM") ?? "dumb" != "dumb" else { return }
        let command = Terminal.environment("SYNSCOPE_PAGER") ?? Terminal.environment("PAGER") ?? "less"
        if command.isEmpty || command == "cat" { return }
        // Output that fits the screen stays there; colours stay colours.
        unsafe setenv("LESS", "FRX", 0)
        let child = unsafe clinux_start_pager(command)
        if child > 0 { process.withLock { $0 = child } }
    }

    /// Ends the output, and waits until the pager was left.
    static func finish() {
        let child = process.withLock { child in
            defer { child = nil }
            return child
        }
        guard let child else { return }
        // The pager's input ends when nobody has the pipe any more.
        close(STDOUT_FILENO)
        var status: Int32 = 0
        while unsafe waitpid(child, &status, 0) < 0, errno == EINTR {}
    }
}
