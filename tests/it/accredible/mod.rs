//! The Accredible bundle as its users meet it, against the vendors' stand-ins.

mod ground;
mod echoes;
mod importing;
mod imports;
mod issuing;
mod learners;
mod listing;
mod refusals;
mod rooms;
mod stage;
