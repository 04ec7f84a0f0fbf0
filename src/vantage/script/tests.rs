//! Answers, whole and broken.
