//! The grammar of story files.
//!
//! Always true: this is the only place that names these keys.

use crate::form::{Form, Key, Kind, Naming, Variant};

/// A story file.
pub(super) static STORY: Form = Form {
    name: "story",
    doc: "What happens at the vendors, and what must be there afterwards.",
    keys: &[
        Key::required("title", Kind::Text, "What it is about, in one line."),
        Key::new(
            "description",
            Kind::Text,
            "What a reader should know first.",
        ),
        Key::new(
            "world",
            Kind::Name,
            "What the stand-ins know at first: the name of a world.",
        ),
        Key::required(
            "servers",
            Kind::List(&Kind::Name),
            "The stand-ins that take part.",
        ),
        Key::required(
            "connections",
            Kind::Map(Naming::Name, &Kind::Map(Naming::Id, &Kind::Data)),
            "The connections of the workspace; `{ secret: text }` is put into a file of its own.",
        ),
        Key::new(
            "tables",
            Kind::Map(
                Naming::Name,
                &Kind::List(&Kind::Map(Naming::Free, &Kind::Data)),
            ),
            "Rows of lookup tables.",
        ),
        Key::required(
            "start",
            Kind::Map(Naming::Id, &Kind::Text),
            "Recipes to start, each under the name that scenes call it by.",
        ),
        Key::required(
            "scenes",
            Kind::List(&Kind::Form(&SCENE)),
            "What happens, in order.",
        ),
        Key::new(
            "next",
            Kind::List(&Kind::Form(&NEXT)),
            "What to try when the story is over.",
        ),
    ],
    variants: &[],
};

static SCENE: Form = Form {
    name: "scene",
    doc: "Steps that belong together.",
    keys: &[
        Key::required("title", Kind::Text, "What happens in it."),
        Key::required(
            "steps",
            Kind::List(&Kind::Form(&STEP)),
            "What is done, in order.",
        ),
    ],
    variants: &[],
};

static STEP: Form = Form {
    name: "step of a scene",
    doc: "One thing that is said, done, awaited or checked.",
    keys: &[],
    variants: &[
        Variant::new(Key::new("say", Kind::Text, "What the reader is told.")),
        Variant::with(
            Key::new(
                "send",
                Kind::Name,
                "The stand-in whose control surface is asked.",
            ),
            &[
                Key::required("post", Kind::Text, "The path below /_control/."),
                Key::new("body", Kind::Data, "What is sent, as JSON."),
                Key::new(
                    "keep",
                    Kind::Id,
                    "The name under which later steps find the answer.",
                ),
            ],
        ),
        Variant::with(
            Key::new(
                "await",
                Kind::Id,
                "A started recipe, whose new jobs are followed to their end.",
            ),
            &[
                Key::required(
                    "jobs",
                    Kind::Whole {
                        min: 0,
                        max: 10_000,
                    },
                    "How many new jobs there must be, exactly.",
                ),
                Key::new(
                    "status",
                    Kind::Text,
                    "How they must end; `succeeded` if left out.",
                ),
                Key::new(
                    "within",
                    Kind::Period,
                    "How long they may take; 60s if left out.",
                ),
            ],
        ),
        Variant::with(
            Key::new(
                "check",
                Kind::Name,
                "The stand-in whose state is looked at.",
            ),
            &[
                Key::required("rows", Kind::Name, "The collection."),
                Key::new(
                    "where",
                    Kind::Map(Naming::Free, &Kind::Data),
                    "What a row must hold to count.",
                ),
                Key::required(
                    "count",
                    Kind::Whole {
                        min: 0,
                        max: 1_000_000,
                    },
                    "How many such rows there must be, exactly.",
                ),
                Key::required("means", Kind::Text, "What is true if there are so many."),
                Key::new(
                    "show",
                    Kind::Text,
                    "How each such row is shown; `{{row.name}}` is its content.",
                ),
            ],
        ),
    ],
};

static NEXT: Form = Form {
    name: "thing to try",
    doc: "Something that the reader may do when the story is over.",
    keys: &[
        Key::required("say", Kind::Text, "What it does."),
        Key::required("run", Kind::Text, "The command."),
    ],
    variants: &[],
};
