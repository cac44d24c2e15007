//! The Accredible bundle as its users meet it, against the vendors' stand-ins.

mod ground;
mod issuing;
mod matrix;
mod rooms;
mod spy;
mod stage;
