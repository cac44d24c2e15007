//! A workspace with copies of a bundled project, as data.

use std::collections::BTreeMap;

use super::super::{
    Choice, Copy, Lock, Refused, Settled, Side, Source, Tables, Upgrade, clone_project, customise,
    upgrade,
};
use crate::names::RecipeName;

pub(super) type Files = BTreeMap<String, String>;

/// A recipe with a step for each of these values.
pub(super) fn recipe(steps: &[(usize, String)]) -> String {
    let mut text = "title: Send\ntrigger: { function: {} }\nsteps:\n".to_owned();
    for (id, value) in steps {
        text.push_str(&format!(
            "  # about {id}\n  - id: s{id}\n    log: {value}\n"
        ));
    }
    text + "  - call: news/find\n"
}

pub(super) fn project(version: &str) -> Files {
    let steps: Vec<(usize, String)> = (0..6).map(|id| (id, format!("base{id}"))).collect();
    BTreeMap::from([
        (
            "recipes/news/project.yaml".into(),
            format!("title: News\nversion: {version}\n"),
        ),
        ("recipes/news/send.yaml".into(), recipe(&steps)),
        ("recipes/news/find.yaml".into(), recipe(&steps[..2])),
        (
            "recipes/news/README.md".into(),
            "# News\n\nrecipes doctor news\n".into(),
        ),
        (
            "recipes/news/tests/send.test.yaml".into(),
            "recipe: news/send\ncases:\n  - title: sends\n".into(),
        ),
    ])
}

/// A workspace with a clone of a bundled project.
pub(super) struct Workspace {
    pub(super) own: Files,
    pub(super) bundled: Files,
    pub(super) lock: Lock,
    pub(super) bases: Files,
}

impl Workspace {
    fn of(bundled: Files) -> Self {
        Self {
            own: Files::new(),
            bundled,
            lock: Lock::default(),
            bases: Files::new(),
        }
    }

    pub(super) fn source(&self) -> Source<'_> {
        Source {
            own: &self.own,
            bundled: &self.bundled,
            lock: &self.lock,
            bases: &self.bases,
        }
    }

    pub(super) fn take(&mut self, copy: Copy) {
        self.own.extend(copy.files);
        self.bases.extend(copy.bases);
        self.lock = copy.lock;
    }

    pub(super) fn cloned(bundled: Files) -> Self {
        Self::cloned_with(bundled, Tables::Shared)
    }

    pub(super) fn cloned_with(bundled: Files, tables: Tables) -> Self {
        let mut workspace = Self::of(bundled);
        let copy = clone_project(&workspace.source(), "news", "acme", tables);
        workspace.take(copy.unwrap());
        workspace
    }

    pub(super) fn customised(bundled: Files) -> Self {
        let mut workspace = Self::of(bundled);
        let name = RecipeName::of("news", "send").unwrap();
        let copy = customise(&workspace.source(), &name);
        workspace.take(copy.unwrap());
        workspace
    }

    pub(super) fn upgrade(&self, project: &str, choices: &[Choice]) -> Result<Upgrade, Refused> {
        let settled = Settled {
            choices: choices.to_vec(),
            texts: BTreeMap::new(),
        };
        upgrade(&self.source(), project, None, &settled)
    }

    /// Puts an upgrade in place.
    pub(super) fn become_of(&mut self, upgrade: Upgrade) {
        for (path, text) in upgrade.texts() {
            match text {
                Some(text) => self.own.insert(path.to_owned(), text.to_owned()),
                None => self.own.remove(path),
            };
        }
        self.bases.extend(upgrade.bases);
        self.lock = upgrade.lock;
    }

    pub(super) fn edit(&mut self, path: &str, from: &str, to: &str) {
        let text = self.own.get_mut(path).unwrap();
        assert!(text.contains(from), "{text}");
        *text = text.replace(from, to);
    }
}

pub(super) const SEND: &str = "recipes/acme/send.yaml";

pub(super) fn newer(from: &str, to: &str) -> Files {
    let mut files = project("1.1.0");
    let send = files.get_mut("recipes/news/send.yaml").unwrap();
    *send = send.replace(from, to);
    files
}

pub(super) fn choice(side: Side, file: Option<&str>, part: Option<&str>) -> Choice {
    Choice {
        side,
        file: file.map(str::to_owned),
        part: part.map(str::to_owned),
    }
}
