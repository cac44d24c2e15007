//! The Accredible bundle as its users meet it, against the vendors' stand-ins.

mod backlog;
mod batch;
mod certifications;
mod completions;
mod credits;
mod deletions;
mod doctoring;
mod dropdowns;
mod echoes;
mod ground;
mod groups;
mod importing;
mod imports;
mod issuing;
mod learners;
mod listing;
mod odd_input;
mod overriding;
mod overwriting;
mod plans;
mod props;
mod refusals;
mod rooms;
mod settings;
mod stage;
mod tenant;
