//! A pretend internet on loopback.
