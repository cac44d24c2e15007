//! The mail server, told line by line.

mod speaking;
mod wire;
