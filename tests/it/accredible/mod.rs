//! The Accredible bundle as its users meet it, against the vendors' stand-ins.

mod doctoring;
mod dropdowns;
mod ground;
mod groups;
mod issuing;
mod props;
mod rooms;
mod stage;
