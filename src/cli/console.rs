//! The console: its width, its colours, and writing to it.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use terminal_size::{Width, terminal_size_of};

use crate::report::Style;

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How to draw on standard output: as wide as the terminal, 80 columns where there is none.
pub(super) fn style(colour: Colour, width: Option<u16>) -> Style {
    let stdout = io::stdout();
    let terminal = stdout.is_terminal();
    // https://no-color.org: set and not empty.
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colour = match colour {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => terminal && !no_colour,
    };
    let seen = || if terminal { terminal_size_of(&stdout).map(|(Width(columns), _)| columns) } else { None };
    Style { width: usize::from(width.or_else(seen).unwrap_or(80)), colour }
}

/// Writes to standard output. A reader that went away, as in `| head`, is no error.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Writes a line to standard error. Nothing can be done where that fails.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "cmcomply: {}", crate::text::printable(text, 2000));
}

/// Writes a line to standard error that begins with a place, such as `file:line:`, and not with the program's name.
pub(super) fn plain_note(text: &str) {
    let _ = writeln!(io::stderr(), "{}", crate::text::printable(text, 2000));
}
