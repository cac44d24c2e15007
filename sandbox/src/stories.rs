//! Stories: what happens at the vendors, scene by scene, and what must be there afterwards. In: the
//! name of a story. Out: its YAML, whose grammar stands in `README.md` of this crate. Always true:
//! this crate hands stories out as text and plays none; whoever plays them knows no vendor.

/// A story that comes with the crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Story {
    /// Its name, which is also that of its file.
    pub name: &'static str,
    /// Its YAML.
    pub text: &'static str,
}

/// The stories that come with the crate; the first is the one to begin with.
pub const STORIES: &[Story] = &[Story {
    name: "course-completion",
    text: include_str!("../stories/course-completion.yaml"),
}];
