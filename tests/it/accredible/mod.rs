//! The Accredible bundle as its users meet it, against the vendors' stand-ins.

mod dropdowns;
mod ground;
mod groups;
mod issuing;
mod matrix;
mod props;
mod rooms;
mod spy;
mod stage;
