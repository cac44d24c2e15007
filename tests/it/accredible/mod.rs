//! The Accredible bundle as its users meet it, against the vendors' stand-ins.

mod backlog;
mod certifications;
mod completions;
mod credits;
mod dropdowns;
mod ground;
mod groups;
mod issuing;
mod odd_input;

mod overwriting;
mod plans;
mod props;
mod rooms;
mod settings;
mod stage;
