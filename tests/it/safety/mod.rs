//! What must not leave the house: planted, and looked for in everything that was said and written.

mod house;
mod limits;
mod personal;
mod proxy;
mod secrets;
