//! The mail server, told line by line.

mod signing;
mod speaking;
mod wire;
