//! What goes to a remote machine, and what comes back.

/// A command for a remote machine: a line that its shell takes, and what it reads on standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The line.
    pub line: String,
    /// Standard input, to its end.
    pub stdin: Vec<u8>,
}

/// What came back. `stdout` is bounded by the transport.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// The exit code, if there was one.
    pub code: Option<i32>,
}
