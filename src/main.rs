//! The cmcomply command.
fn main() {}
