//! Bytes as deliveries.

/// Takes the bytes in.
pub fn check(_bytes: &[u8]) {}
