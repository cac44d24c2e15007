//! The Accredible bundle as its users meet it, against the vendors' stand-ins.

mod batch;
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
mod matrix;
mod overriding;
mod props;
mod refusals;
mod rooms;
mod spy;
mod stage;
mod tenant;
