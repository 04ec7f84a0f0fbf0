//! The system's own `Invoke-Command`.
