//! A program of this machine that speaks to another one: with input, and with bounded output.

use std::io;
use std::process::Stdio;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::Answer;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Broke {
    /// It does not start.
    Start(io::Error),
    /// Its standard output is larger than was to be taken.
    TooMuch,
    /// How it ended cannot be told.
    End(io::Error),
}

/// Gives the program its input, and returns what it said, however it ended. At most `most` octets of its standard output
/// are taken. Whoever drops this ends the program.
pub(super) async fn run(mut program: Command, input: &[u8], most: u64) -> Result<Answer, Broke> {
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = program.spawn().map_err(Broke::Start)?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let write = async {
        if let Some(mut stdin) = stdin {
            // Who does not listen says why on standard error.
            let _ = stdin.write_all(input).await;
            let _ = stdin.shutdown().await;
        }
        Ok(())
    };
    let read = async {
        let bytes = bounded(stdout, most.saturating_add(1)).await;
        if bytes.len() as u64 > most { Err(Broke::TooMuch) } else { Ok(bytes) }
    };
    let listen = async { Ok(bounded_then_nothing(stderr).await) };
    // Where one goes wrong the others are let go of, and the child with them.
    let (stdout, stderr, ()) = tokio::try_join!(read, listen, write)?;
    let status = child.wait().await.map_err(Broke::End)?;
    Ok(Answer { stdout, stderr, code: status.code() })
}

/// Reads to the end, or so much.
async fn bounded(source: Option<impl AsyncRead + Unpin>, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(source) = source {
        // What came before an error is all there is.
        let _ = source.take(most).read_to_end(&mut bytes).await;
    }
    bytes
}

/// Reads to the end, and keeps the beginning: whoever writes must not be held up.
async fn bounded_then_nothing(source: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut source = source;
    let bytes = bounded(source.as_mut(), MAX_ERRORS).await;
    if let Some(mut rest) = source {
        let _ = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
    }
    bytes
}

/// The most that is kept of standard error.
const MAX_ERRORS: u64 = 64 << 10;
