//! The Accredible bundle as its users meet it, against the vendors' stand-ins.

mod batch;
mod ground;
mod issuing;
mod rooms;
mod stage;
