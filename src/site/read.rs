//! The reading: two round trips, and one by one what they did not bring.

use tokio_util::sync::CancellationToken;

use super::error::ReadError;
use super::facts::Facts;
use super::options::Options;

/// Reads all facts. Ends within the limits of `options`, or at once when cancelled.
#[expect(clippy::unused_async, reason = "the reading is being built")]
pub async fn read(_options: &Options, _cancel: CancellationToken) -> Result<Facts, ReadError> {
    Err(ReadError::Cancelled)
}
