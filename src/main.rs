//! The cmcomply command.

use std::process::ExitCode;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static HEAP: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let code = runtime.block_on(cmcomply::cli::run(std::env::args_os()));
            // Blocking look-ups of the system's resolver cannot be interrupted; the program does not wait for them.
            runtime.shutdown_background();
            ExitCode::from(code)
        }
        Err(error) => {
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "cmcomply: cannot start: {error}");
            ExitCode::from(cmcomply::cli::exit::USAGE)
        }
    }
}
