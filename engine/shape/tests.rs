//! Shapes: reading, checking, comparing, converting.
